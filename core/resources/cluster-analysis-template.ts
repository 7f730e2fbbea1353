import { z } from "zod";
import { AnalysisTemplateSpec } from "#core/resources/analysis-template.ts";
import { argoV1alpha1 } from "#core/resources/api-versions.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";

/** An AnalysisTemplate for all projects. */
export const ClusterAnalysisTemplate = z.strictObject({
  apiVersion: z.literal(argoV1alpha1),
  kind: z.literal("ClusterAnalysisTemplate"),
  metadata: ObjectMeta,
  spec: AnalysisTemplateSpec.describe("What is measured, and what it takes to pass."),
});
export type ClusterAnalysisTemplate = z.infer<typeof ClusterAnalysisTemplate>;
