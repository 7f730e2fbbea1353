import { z } from "zod";
import { coreV1 } from "#core/resources/api-versions.ts";
import { ProjectMeta } from "#core/resources/metadata.ts";

/** Kubernetes' Namespace. It plays the project of the same name. */
export const Namespace = z.strictObject({
  apiVersion: z.literal(coreV1),
  kind: z.literal("Namespace"),
  metadata: ProjectMeta,
  spec: z.object({}).optional().describe("Kubernetes' own; ignored."),
  status: z.object({ phase: z.string().optional() }).optional(),
});
export type Namespace = z.infer<typeof Namespace>;
