import { z } from "zod";
import { argoV1alpha1 } from "#core/resources/api-versions.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";
import { MetricProvider } from "#core/resources/metric-provider.ts";

export { MetricProvider, WebMetric } from "#core/resources/metric-provider.ts";

const IntOrString = z.union([z.int(), z.string()]);

/** One thing that is measured, and what the measurements must say. */
export const Metric = z.strictObject({
  name: z.string().describe("Name of the metric."),
  interval: z.string().optional().describe("Pause between two measurements, as `30s`."),
  initialDelay: z.string().optional().describe("Pause before the first measurement."),
  count: IntOrString.optional().describe("How many measurements; 1 without interval, else no end."),
  successCondition: z.string().optional().describe("Expression over `result`; a success when true."),
  failureCondition: z.string().optional().describe("Expression over `result`; a failure when true."),
  failureLimit: IntOrString.optional().describe("How many failures are borne; 0 by default."),
  inconclusiveLimit: IntOrString.optional().describe(
    "How many undecided measurements are borne; 0 by default.",
  ),
  consecutiveErrorLimit: IntOrString.optional().describe("How many errors in a row are borne; 4 by default."),
  consecutiveSuccessLimit: IntOrString.optional().describe("How many successes in a row are enough."),
  provider: MetricProvider.describe("Where the value comes from; exactly one."),
});
export type Metric = z.infer<typeof Metric>;

export const AnalysisArgument = z.strictObject({
  name: z.string().describe("Name; metrics read it as `{{args.<name>}}`."),
  value: z.string().optional().describe("Value; without one the caller must give it."),
  valueFrom: z
    .strictObject({
      secretKeyRef: z
        .strictObject({ name: z.string(), key: z.string() })
        .optional()
        .describe("A Secret's value."),
      fieldRef: z
        .strictObject({ fieldPath: z.string().describe("Path of the field, as `metadata.labels.app`.") })
        .optional()
        .describe("A field of the run's own metadata."),
    })
    .optional()
    .describe("Where the value stands instead."),
});
export type AnalysisArgument = z.infer<typeof AnalysisArgument>;

/** What templates and runs have in common. */
export const analysisFields = {
  args: z.array(AnalysisArgument).optional().describe("Arguments that the metrics read."),
  dryRun: z
    .array(
      z.strictObject({ metricName: z.string().describe("Name of the metrics, or a regular expression.") }),
    )
    .optional()
    .describe("Metrics that are measured and do not decide; names or regular expressions."),
  measurementRetention: z
    .array(
      z.strictObject({
        metricName: z.string().describe("Name of the metrics, or a regular expression."),
        limit: z.int().describe("How many."),
      }),
    )
    .optional()
    .describe("How many measurements are kept."),
};

export const AnalysisTemplateSpec = z.strictObject({
  metrics: z.array(Metric).optional().describe("What is measured."),
  ...analysisFields,
  templates: z
    .array(
      z.strictObject({
        templateName: z.string().describe("Name of the template."),
        clusterScope: z.boolean().optional().describe("Whether it is a ClusterAnalysisTemplate."),
      }),
    )
    .optional()
    .describe("Templates whose metrics and arguments join these."),
});
export type AnalysisTemplateSpec = z.infer<typeof AnalysisTemplateSpec>;

/** Says how freight is verified: what is measured, and when it is good enough. */
export const AnalysisTemplate = z.strictObject({
  apiVersion: z.literal(argoV1alpha1),
  kind: z.literal("AnalysisTemplate"),
  metadata: ObjectMeta,
  spec: AnalysisTemplateSpec.describe("What is measured, and what it takes to pass."),
});
export type AnalysisTemplate = z.infer<typeof AnalysisTemplate>;
