import { z } from "zod";
import { kargoEnterpriseV1alpha1 } from "#core/resources/api-versions.ts";
import { MessageChannelSpec, MessageChannelStatus } from "#core/resources/message-channel.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";

/** A MessageChannel for all projects. */
export const ClusterMessageChannel = z.strictObject({
  apiVersion: z.literal(kargoEnterpriseV1alpha1),
  kind: z.literal("ClusterMessageChannel"),
  metadata: ObjectMeta,
  spec: MessageChannelSpec.describe("Where messages go."),
  status: MessageChannelStatus.optional(),
});
export type ClusterMessageChannel = z.infer<typeof ClusterMessageChannel>;
