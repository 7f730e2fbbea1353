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

/** Runs a step, or all steps of a task, once for each item of a list. Ours, not Kargo's. */
export const ForEach = z.strictObject({
  items: z
    .union([z.array(z.unknown()), z.string()])
    .describe("The list, or an expression that gives one when it is the step's turn."),
  as: z
    .string()
    .regex(/^[A-Za-z_]\w*$/, "expected letters, digits and _, not beginning with a digit")
    .optional()
    .describe("Variable that holds the item; `<as>Index` holds its place, from 0. `item` by default."),
  concurrency: z.int().min(1).max(50).optional().describe("How many are run at once; 1 by default."),
});
export type ForEach = z.infer<typeof ForEach>;

/** One step of a promotion, a promotion template or a task. */
export const PromotionStep = z.strictObject({
  uses: z.string().min(1).optional().describe("Kind of the step."),
  task: PromotionTaskReference.optional().describe("Task whose steps stand in for this one."),
  as: z.string().optional().describe("Name of the step; later steps read its output by it."),
  forEach: ForEach.optional().describe("List to run the step for, item by item."),
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
