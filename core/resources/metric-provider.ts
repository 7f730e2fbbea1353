import { z } from "zod";
import { metricProviders } from "#core/metrics/index.ts";

export { WebMetric } from "#core/metrics/web.ts";

type Providers = typeof metricProviders;
type Shape = { [Name in keyof Providers]: z.ZodOptional<Providers[Name]["config"]> };

const shape = Object.fromEntries(
  Object.entries(metricProviders).map(([name, { summary, config }]) => [
    name,
    (config as z.ZodType).optional().describe(summary),
  ]),
) as unknown as Shape;

/** Where a metric's value comes from: exactly one of these. */
export const MetricProvider = z.strictObject(shape);
export type MetricProvider = z.infer<typeof MetricProvider>;
