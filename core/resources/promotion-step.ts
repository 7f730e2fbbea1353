import { z } from "zod";
import { Duration } from "#core/resources/duration.ts";
import { ExpressionVariable } from "#core/resources/expression-variable.ts";
import { ResourceName } from "#core/resources/names.ts";

export const PromotionTaskReference = z.strictObject({
  name: ResourceName.describe("Name of the task."),
  kind: z
    .enum(["PromotionTask", "ClusterPromotionTask"])
    .optional()
    .describe("Kind of the task; PromotionTask by default."),
});
export type PromotionTaskReference = z.infer<typeof PromotionTaskReference>;

export const PromotionStepRetry = z.strictObject({
  timeout: Duration.optional().describe(
    "How long the step may wait for something; for ever by default or with 0.",
  ),
  errorThreshold: z
    .int()
    .min(0)
    .max(4294967295)
    .optional()
    .describe("How many failures in a row end the step; the step's own default, or 1, with 0."),
});
export type PromotionStepRetry = z.infer<typeof PromotionStepRetry>;

/** One step of a promotion, a promotion template or a task. */
export const PromotionStep = z.strictObject({
  uses: z.string().min(1).optional().describe("Kind of the step."),
  task: PromotionTaskReference.optional().describe("Task whose steps stand in for this one."),
  as: z.string().optional().describe("Name of the step; later steps read its output by it."),
  if: z.string().optional().describe("Expression; the step is skipped when it is false."),
  continueOnError: z
    .boolean()
    .optional()
    .describe("Go on when the step fails, and do not count the failure."),
  retry: PromotionStepRetry.optional().describe("When to give up."),
  vars: z
    .array(ExpressionVariable)
    .optional()
    .describe("Variables of this step; they win over the promotion's."),
  config: z.record(z.string(), z.unknown()).optional().describe("What the kind of step needs to know."),
});
export type PromotionStep = z.infer<typeof PromotionStep>;
