import { z } from "zod";
import { coreV1 } from "#core/resources/api-versions.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";

/** Kubernetes' ServiceAccount; Kargo maps roles to people through its annotations. */
export const ServiceAccount = z.strictObject({
  apiVersion: z.literal(coreV1),
  kind: z.literal("ServiceAccount"),
  metadata: ObjectMeta,
  secrets: z
    .array(z.object({ name: z.string().optional() }))
    .optional()
    .describe("Secrets of the account."),
  imagePullSecrets: z
    .array(z.object({ name: z.string().optional() }))
    .optional()
    .describe("Secrets for pulling images."),
  automountServiceAccountToken: z.boolean().optional().describe("Kubernetes' own; ignored."),
});
export type ServiceAccount = z.infer<typeof ServiceAccount>;
