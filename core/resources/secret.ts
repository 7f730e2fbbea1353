import { z } from "zod";
import { coreV1 } from "#core/resources/api-versions.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";

/** Values that nobody should see. `data` is base64; `stringData` is plain and joins `data` when applied. */
export const Secret = z.strictObject({
  apiVersion: z.literal(coreV1),
  kind: z.literal("Secret"),
  metadata: ObjectMeta,
  type: z.string().optional().describe("Kubernetes' type of the secret; Opaque by default."),
  data: z.record(z.string(), z.string()).optional().describe("Values in base64."),
  stringData: z
    .record(z.string(), z.string())
    .optional()
    .describe("Values as they are; they win over `data`."),
  immutable: z.boolean().optional().describe("Refuse later changes of the values."),
});
export type Secret = z.infer<typeof Secret>;
