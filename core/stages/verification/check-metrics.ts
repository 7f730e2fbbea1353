import type { z } from "zod";
import { metricProviders } from "#core/metrics/index.ts";
import type { MetricProvider } from "#core/metrics/provider.ts";
import type { Metric } from "#core/resources/analysis-template.ts";
import { parseDuration } from "#core/resources/duration.ts";

/** Throws an error that says what no measurement could mend: what is missing or contradicts itself. */
export function checkMetrics(metrics: readonly Metric[]): void {
  if (metrics.length === 0) throw new Error("Analysis spec invalid: no metrics specified");
  metrics.forEach((metric, index) => {
    const problem = problemOf(metric, metrics.slice(0, index)) ?? providerProblem(metric);
    if (problem !== undefined) throw new Error(`Analysis spec invalid: metrics[${index}]: ${problem}`);
  });
}

/** A whole number that may be written as text. */
export function toInteger(value: number | string | undefined, otherwise: number): number {
  if (value === undefined || value === "") return otherwise;
  const number = Number(value);
  if (Number.isInteger(number)) return number;
  throw new Error(`"${value}" is no whole number`);
}

/** A metric's provider with its configuration. Only of metrics that were checked. */
export function providerOf({ provider }: Metric): { provider: MetricProvider; config: z.output<z.ZodType> } {
  const [name] = namesOf({ provider });
  const found = metricProviders[name as keyof typeof metricProviders] as MetricProvider;
  return { provider: found, config: provider[name as keyof typeof provider] };
}

function problemOf(metric: Metric, earlier: readonly Metric[]): string | undefined {
  const { name, interval, initialDelay } = metric;
  if (earlier.some((one) => one.name === name)) return `duplicate name "${name}"`;
  for (const duration of [interval, initialDelay]) {
    if (!duration || parseDuration(duration) !== undefined) continue;
    return `"${duration}" is no duration such as 30s or 5m`;
  }
  return limitProblem(metric);
}

function limitProblem(metric: Metric): string | undefined {
  const failureLimit = toInteger(metric.failureLimit, 0);
  const successLimit = toInteger(metric.consecutiveSuccessLimit, 0);
  const inconclusiveLimit = toInteger(metric.inconclusiveLimit, 0);
  const count = toInteger(metric.count, 0);
  if (successLimit < 0) return "consecutiveSuccessLimit must be >= 0";
  if (failureLimit < -1) return "failureLimit must be >= 0, or -1 to be disabled";
  if (failureLimit === -1 && successLimit === 0)
    return "failureLimit and consecutiveSuccessLimit cannot both be disabled";
  if (inconclusiveLimit < 0) return "inconclusiveLimit must be >= 0";
  if (toInteger(metric.consecutiveErrorLimit, 0) < 0) return "consecutiveErrorLimit must be >= 0";
  if (count > 0 && count < Math.max(0, failureLimit) + successLimit) {
    return `count (${count}) must be >= failureLimit + consecutiveSuccessLimit (${Math.max(0, failureLimit)} + ${successLimit})`;
  }
  if (count > 0 && count < inconclusiveLimit) return "count must be >= inconclusiveLimit";
  if (count > 1 && !metric.interval) return "interval must be specified when count > 1";
  return undefined;
}

function providerProblem(metric: Metric): string | undefined {
  const [name, ...others] = namesOf(metric);
  if (name === undefined) return "no provider specified";
  if (others.length > 0) return "multiple providers specified";
  const { provider, config } = providerOf(metric);
  return provider.problem?.(config);
}

function namesOf({ provider }: Pick<Metric, "provider">): string[] {
  return Object.entries(provider).flatMap(([name, config]) => (config === undefined ? [] : [name]));
}
