import { z } from "zod";
import { analysisFields, Metric } from "#core/resources/analysis-template.ts";
import { argoV1alpha1 } from "#core/resources/api-versions.ts";
import { GeneratedNameMeta } from "#core/resources/metadata.ts";

export const AnalysisPhase = z.enum(["Pending", "Running", "Successful", "Failed", "Error", "Inconclusive"]);
export type AnalysisPhase = z.infer<typeof AnalysisPhase>;

export const Measurement = z.object({
  phase: AnalysisPhase,
  message: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  value: z.string().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
  resumeAt: z.string().optional(),
});
export type Measurement = z.infer<typeof Measurement>;

const counts = {
  count: z.int().optional(),
  successful: z.int().optional(),
  failed: z.int().optional(),
  inconclusive: z.int().optional(),
  error: z.int().optional(),
};

export const MetricResult = z.object({
  name: z.string(),
  phase: AnalysisPhase,
  measurements: z.array(Measurement).optional(),
  message: z.string().optional(),
  ...counts,
  consecutiveError: z.int().optional(),
  consecutiveSuccess: z.int().optional(),
  dryRun: z.boolean().optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});
export type MetricResult = z.infer<typeof MetricResult>;

export const AnalysisRunStatus = z.object({
  phase: AnalysisPhase.optional(),
  message: z.string().optional(),
  metricResults: z.array(MetricResult).optional(),
  startedAt: z.string().optional(),
  completedAt: z.string().optional(),
  runSummary: z.object(counts).optional(),
  dryRunSummary: z.object(counts).optional(),
});
export type AnalysisRunStatus = z.infer<typeof AnalysisRunStatus>;

export const AnalysisRunSpec = z.strictObject({
  metrics: z.array(Metric).describe("What is measured."),
  ...analysisFields,
  terminate: z.boolean().optional().describe("End the run."),
  ttlStrategy: z
    .strictObject({
      secondsAfterCompletion: z.int().optional().describe("Seconds after any end."),
      secondsAfterFailure: z.int().optional().describe("Seconds after a failure."),
      secondsAfterSuccess: z.int().optional().describe("Seconds after a success."),
    })
    .optional()
    .describe("When a finished run is removed."),
});
export type AnalysisRunSpec = z.infer<typeof AnalysisRunSpec>;

/** One verification at work, or done. */
export const AnalysisRun = z.strictObject({
  apiVersion: z.literal(argoV1alpha1),
  kind: z.literal("AnalysisRun"),
  metadata: GeneratedNameMeta,
  spec: AnalysisRunSpec.describe("What is measured, and what it takes to pass."),
  status: AnalysisRunStatus.optional(),
});
export type AnalysisRun = z.infer<typeof AnalysisRun>;
