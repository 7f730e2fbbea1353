import { z } from "zod";
import { coreV1 } from "#core/resources/api-versions.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";

/** Values that everybody may see. */
export const ConfigMap = z.strictObject({
  apiVersion: z.literal(coreV1),
  kind: z.literal("ConfigMap"),
  metadata: ObjectMeta,
  data: z.record(z.string(), z.string()).optional().describe("Values."),
  binaryData: z.record(z.string(), z.string()).optional().describe("Values in base64."),
  immutable: z.boolean().optional().describe("Refuse later changes of the values."),
});
export type ConfigMap = z.infer<typeof ConfigMap>;
