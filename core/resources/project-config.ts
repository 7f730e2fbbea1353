import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { Condition } from "#core/resources/condition.ts";
import { NameOrLabelSelector } from "#core/resources/label-selector.ts";
import { ProjectMeta } from "#core/resources/metadata.ts";
import { ResourceName } from "#core/resources/names.ts";
import { DeepLink, PromotionWindow } from "#core/resources/promotion-window.ts";
import { WebhookReceiverConfig, WebhookReceiverDetails } from "#core/resources/webhook-receiver.ts";

export const PromotionPolicy = z.strictObject({
  stage: ResourceName.optional().describe("Deprecated: use stageSelector. Stage that the policy is for."),
  stageSelector: NameOrLabelSelector.optional().describe("Stages that the policy is for."),
  autoPromotionEnabled: z
    .boolean()
    .optional()
    .describe("Promote new freight into the stages without being asked."),
  autoRollback: z
    .strictObject({
      onPromotion: z
        .array(z.enum(["Failed", "Errored"]))
        .max(2)
        .optional()
        .describe("Ends of a promotion that call for it."),
      onVerification: z
        .array(z.enum(["Failed", "Error"]))
        .max(2)
        .optional()
        .describe("Ends of a verification that call for it; Failed by default."),
    })
    .optional()
    .describe("When to go back to the last verified freight."),
});
export type PromotionPolicy = z.infer<typeof PromotionPolicy>;

export const ProjectConfigSpec = z.strictObject({
  promotionPolicies: z.array(PromotionPolicy).optional().describe("Rules for promotions into stages."),
  webhookReceivers: z.array(WebhookReceiverConfig).optional().describe("Addresses that platforms call."),
  freightLinks: z.array(DeepLink).optional().describe("Links beside freight."),
  stageLinks: z.array(DeepLink).optional().describe("Links beside stages."),
  promotionWindows: z
    .array(PromotionWindow)
    .max(100)
    .optional()
    .describe("Times in which promotions may start."),
});
export type ProjectConfigSpec = z.infer<typeof ProjectConfigSpec>;

export const ProjectConfigStatus = z.object({
  conditions: z.array(Condition).optional(),
  observedGeneration: z.int().optional(),
  lastHandledRefresh: z.string().optional(),
  webhookReceivers: z.array(WebhookReceiverDetails).optional(),
});
export type ProjectConfigStatus = z.infer<typeof ProjectConfigStatus>;

/** Settings of a project. It carries the project's name. */
export const ProjectConfig = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("ProjectConfig"),
  metadata: ProjectMeta,
  spec: ProjectConfigSpec.optional().describe("The settings."),
  status: ProjectConfigStatus.optional(),
});
export type ProjectConfig = z.infer<typeof ProjectConfig>;
