import { z } from "zod";
import { LabelSelector } from "#core/resources/label-selector.ts";
import { ResourceName } from "#core/resources/names.ts";

export const SecretReference = z.strictObject({ name: z.string().describe("Name of the Secret.") });
export type SecretReference = z.infer<typeof SecretReference>;

const secretRef = SecretReference.describe(
  "Secret with what guards the receiver: the key `secret`, for GitLab `secret-token`.",
);
const receiver = z.strictObject({ secretRef });

export const IndexSelectorRequirement = z.strictObject({
  key: z
    .enum(["subscribedURLs", "pullRequestURL", "receiverPaths"])
    .describe("Index to look in: `subscribedURLs` of Warehouses, `pullRequestURL` of Promotions that run."),
  operator: z.enum(["Equals", "NotEquals"]).describe("How to compare."),
  value: z.string().describe("Value, or an expression that gives it."),
});
export type IndexSelectorRequirement = z.infer<typeof IndexSelectorRequirement>;

export const GenericWebhookTarget = z.strictObject({
  kind: z.enum(["Warehouse", "Promotion"]).describe("Kind of resource to act on."),
  name: z.string().optional().describe("Name, or an expression that gives it."),
  labelSelector: LabelSelector.optional().describe("Labels of the resources; values may be expressions."),
  indexSelector: z
    .strictObject({
      matchIndices: z.array(IndexSelectorRequirement).min(1).optional().describe("All of them must hold."),
    })
    .optional()
    .describe("Finds resources by what they subscribe to, or wait for."),
});
export type GenericWebhookTarget = z.infer<typeof GenericWebhookTarget>;

export const GenericWebhookAction = z.strictObject({
  action: z.enum(["Refresh"]).describe("What to do with the resources."),
  whenExpression: z
    .string()
    .optional()
    .describe("Expression over the request; nothing is done when it is false."),
  parameters: z.record(z.string(), z.string()).optional().describe("Values for the action."),
  targetSelectionCriteria: z
    .array(GenericWebhookTarget)
    .min(1)
    .optional()
    .describe("Which resources to act on; each entry adds some."),
});
export type GenericWebhookAction = z.infer<typeof GenericWebhookAction>;

/** One address that a platform calls when something changed there: exactly one of the platforms. */
export const WebhookReceiverConfig = z.strictObject({
  name: ResourceName.describe("Name of the receiver."),
  bitbucket: receiver.optional().describe("Bitbucket."),
  dockerhub: receiver.optional().describe("Docker Hub."),
  github: receiver.optional().describe("GitHub, its container registry included."),
  gitlab: receiver.optional().describe("GitLab."),
  harbor: z
    .strictObject({ secretRef: SecretReference.describe("Secret with the key `auth-header`.") })
    .optional()
    .describe("Harbor."),
  quay: receiver.optional().describe("Quay."),
  artifactory: z
    .strictObject({
      secretRef: SecretReference.describe("Secret with the key `secret-token`."),
      virtualRepoName: z.string().optional().describe("Virtual repository that images are pulled through."),
    })
    .optional()
    .describe("JFrog Artifactory."),
  azure: receiver.optional().describe("Azure Container Registry and Azure DevOps."),
  gitea: receiver.optional().describe("Gitea."),
  generic: z
    .strictObject({
      secretRef,
      actions: z.array(GenericWebhookAction).min(1).optional().describe("What to do for a request."),
    })
    .optional()
    .describe("Anything else that can send JSON."),
});
export type WebhookReceiverConfig = z.infer<typeof WebhookReceiverConfig>;

/** Where a receiver listens. */
export const WebhookReceiverDetails = z.object({
  name: z.string().optional(),
  path: z.string().optional(),
  url: z.string().optional(),
});
export type WebhookReceiverDetails = z.infer<typeof WebhookReceiverDetails>;
