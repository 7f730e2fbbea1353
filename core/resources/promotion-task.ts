import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { ExpressionVariable } from "#core/resources/expression-variable.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";
import { PromotionStep } from "#core/resources/promotion-step.ts";

export const PromotionTaskSpec = z.strictObject({
  vars: z
    .array(ExpressionVariable)
    .optional()
    .describe("Variables of the task; their values are the defaults for what the caller leaves out."),
  steps: z.array(PromotionStep).min(1).describe("Steps that take the place of the step that names the task."),
});
export type PromotionTaskSpec = z.infer<typeof PromotionTaskSpec>;

/** Steps that several stages of a project share. */
export const PromotionTask = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("PromotionTask"),
  metadata: ObjectMeta,
  spec: PromotionTaskSpec.describe("Variables and steps of the task."),
});
export type PromotionTask = z.infer<typeof PromotionTask>;
