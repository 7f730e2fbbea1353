import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";
import { PromotionTaskSpec } from "#core/resources/promotion-task.ts";

/** Steps that the stages of all projects may share. */
export const ClusterPromotionTask = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("ClusterPromotionTask"),
  metadata: ObjectMeta,
  spec: PromotionTaskSpec.describe("Variables and steps of the task."),
});
export type ClusterPromotionTask = z.infer<typeof ClusterPromotionTask>;
