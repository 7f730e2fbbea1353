import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { Condition } from "#core/resources/condition.ts";
import { PlainDuration } from "#core/resources/duration.ts";
import { ArtifactReference } from "#core/resources/freight.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";
import { RepoSubscription } from "#core/resources/subscription.ts";

export {
  ChartSubscription,
  GitSubscription,
  ImageSubscription,
  RepoSubscription,
} from "#core/resources/subscription.ts";

export const WarehouseSpec = z.strictObject({
  shard: z.string().optional().describe("Shard that the Warehouse belongs to; kept, one daemon serves all."),
  interval: PlainDuration.default("5m0s").describe("How often to look for new artifacts."),
  freightCreationPolicy: z
    .enum(["Automatic", "Manual"])
    .default("Automatic")
    .describe("Whether new artifacts make freight by themselves."),
  subscriptions: z.array(RepoSubscription).min(1).describe("Repositories to look at."),
  freightCreationCriteria: z
    .strictObject({
      expression: z.string().optional().describe("Expression that must be true for freight to be made."),
    })
    .optional()
    .describe("What must hold for freight to be made by itself."),
});
export type WarehouseSpec = z.infer<typeof WarehouseSpec>;

export const DiscoveredCommit = z.object({
  id: z.string().optional(),
  branch: z.string().optional(),
  tag: z.string().optional(),
  subject: z.string().optional(),
  author: z.string().optional(),
  committer: z.string().optional(),
  creatorDate: z.string().optional(),
});
export type DiscoveredCommit = z.infer<typeof DiscoveredCommit>;

export const GitDiscoveryResult = z.object({
  repoURL: z.string(),
  /** The best first. */
  commits: z.array(DiscoveredCommit).default([]),
  subscriptionName: z.string().optional(),
  observedRefs: z
    .object({
      branchHead: z.string().optional(),
      tags: z.array(z.object({ name: z.string(), id: z.string() })).optional(),
    })
    .optional(),
});
export type GitDiscoveryResult = z.infer<typeof GitDiscoveryResult>;

export const DiscoveredImageReference = z.object({
  tag: z.string(),
  digest: z.string(),
  annotations: z.record(z.string(), z.string()).optional(),
  createdAt: z.string().optional(),
});
export type DiscoveredImageReference = z.infer<typeof DiscoveredImageReference>;

export const ImageDiscoveryResult = z.object({
  repoURL: z.string(),
  platform: z.string().optional(),
  /** The best first. */
  references: z.array(DiscoveredImageReference).default([]),
  subscriptionName: z.string().optional(),
});
export type ImageDiscoveryResult = z.infer<typeof ImageDiscoveryResult>;

export const ChartDiscoveryResult = z.object({
  repoURL: z.string(),
  name: z.string().optional(),
  semverConstraint: z.string().optional(),
  /** The best first. */
  versions: z.array(z.string()).default([]),
  subscriptionName: z.string().optional(),
});
export type ChartDiscoveryResult = z.infer<typeof ChartDiscoveryResult>;

/** What a Warehouse found when it last looked. */
export const DiscoveredArtifacts = z.object({
  discoveredAt: z.string(),
  git: z.array(GitDiscoveryResult).optional(),
  images: z.array(ImageDiscoveryResult).optional(),
  charts: z.array(ChartDiscoveryResult).optional(),
  results: z.array(z.object({ name: z.string(), artifactReferences: z.array(ArtifactReference) })).optional(),
});
export type DiscoveredArtifacts = z.infer<typeof DiscoveredArtifacts>;

/** What was seen at one subscription's repository beside what was chosen; not part of Kargo's status. */
export const SubscriptionSummary = z.object({
  kind: z.enum(["git", "image", "chart"]),
  repoURL: z.string(),
  name: z.string().optional(),
  /** When nothing had changed since an earlier look, that look's summary stays and only this is new. */
  lastLookedAt: z.string(),
  chosen: z.int(),
  leftOut: z.array(z.object({ reason: z.string(), count: z.int(), examples: z.array(z.string()) })),
  failure: z.string().optional(),
});
export type SubscriptionSummary = z.infer<typeof SubscriptionSummary>;

export const WarehouseStatus = z.object({
  conditions: z.array(Condition).optional(),
  lastHandledRefresh: z.string().optional(),
  observedGeneration: z.int().optional(),
  lastFreightID: z.string().optional(),
  discoveredArtifacts: DiscoveredArtifacts.optional(),
  /** In the order of the subscriptions. */
  discovery: z.array(SubscriptionSummary).optional(),
  /** Freight that waits until its artifacts have stayed the same for the settle time. */
  settling: z.object({ freight: z.string(), since: z.string() }).optional(),
});
export type WarehouseStatus = z.infer<typeof WarehouseStatus>;

/** Watches repositories and makes freight of what it finds. */
export const Warehouse = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("Warehouse"),
  metadata: ObjectMeta,
  spec: WarehouseSpec.describe("Where the Warehouse looks, and when it makes freight."),
  status: WarehouseStatus.optional(),
});
export type Warehouse = z.infer<typeof Warehouse>;
