import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { Condition } from "#core/resources/condition.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";
import { DeepLink, PromotionWindow } from "#core/resources/promotion-window.ts";
import {
  SecretReference,
  WebhookReceiverConfig,
  WebhookReceiverDetails,
} from "#core/resources/webhook-receiver.ts";

export const ClusterConfigSpec = z.strictObject({
  webhookReceivers: z
    .array(WebhookReceiverConfig)
    .optional()
    .describe("Addresses that platforms call, for all projects."),
  gitClient: z
    .strictObject({
      name: z.string().min(1).describe("Name for commits."),
      email: z.string().min(1).describe("Mail address for commits."),
      signingKeySecret: SecretReference.optional().describe("Secret whose key `signingKey` signs commits."),
    })
    .optional()
    .describe("Who makes Git commits."),
  freightLinks: z.array(DeepLink).optional().describe("Links beside freight of all projects."),
  stageLinks: z.array(DeepLink).optional().describe("Links beside stages of all projects."),
  promotionWindows: z
    .array(PromotionWindow)
    .max(100)
    .optional()
    .describe("Times in which promotions may start."),
});
export type ClusterConfigSpec = z.infer<typeof ClusterConfigSpec>;

export const ClusterConfigStatus = z.object({
  conditions: z.array(Condition).optional(),
  observedGeneration: z.int().optional(),
  lastHandledRefresh: z.string().optional(),
  webhookReceivers: z.array(WebhookReceiverDetails).optional(),
});
export type ClusterConfigStatus = z.infer<typeof ClusterConfigStatus>;

/** Settings of the whole daemon. There is one, and its name is `cluster`. */
export const ClusterConfig = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("ClusterConfig"),
  metadata: ObjectMeta,
  spec: ClusterConfigSpec.optional().describe("The settings."),
  status: ClusterConfigStatus.optional(),
});
export type ClusterConfig = z.infer<typeof ClusterConfig>;
