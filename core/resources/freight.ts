import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { GeneratedNameMeta } from "#core/resources/metadata.ts";

/** What a piece of freight came from. */
export const FreightOrigin = z.strictObject({
  kind: z.enum(["Warehouse"]).describe("Kind of the origin; always Warehouse."),
  name: z.string().min(1).describe("Name of the Warehouse."),
});
export type FreightOrigin = z.infer<typeof FreightOrigin>;

const subscriptionName = z.string().optional().describe("Name of the subscription that found it.");

export const GitCommit = z.strictObject({
  repoURL: z.string().default("").describe("URL of the repository."),
  id: z.string().optional().describe("Hash of the commit."),
  branch: z.string().optional().describe("Branch that the commit was found on."),
  tag: z.string().optional().describe("Tag that led to the commit."),
  message: z.string().optional().describe("First line of the commit's message."),
  author: z.string().optional().describe("Who wrote it."),
  committer: z.string().optional().describe("Who committed it."),
  subscriptionName,
});
export type GitCommit = z.infer<typeof GitCommit>;

export const Image = z.strictObject({
  repoURL: z.string().default("").describe("Repository of the image, without tag and digest."),
  tag: z.string().optional().describe("Tag that was found."),
  digest: z.string().optional().describe("Digest of the image, as `sha256:…`."),
  annotations: z.record(z.string(), z.string()).optional().describe("Annotations of the image's manifest."),
  subscriptionName,
});
export type Image = z.infer<typeof Image>;

export const Chart = z.strictObject({
  repoURL: z.string().default("").describe("Repository of the chart; for OCI, the chart itself."),
  name: z.string().optional().describe("Name of the chart; none for OCI."),
  version: z.string().optional().describe("Version of the chart."),
  subscriptionName,
});
export type Chart = z.infer<typeof Chart>;

export const ArtifactReference = z.strictObject({
  artifactType: z.string().optional().describe("Kind of the artifact."),
  subscriptionName: z.string().min(1).describe("Name of the subscription that found it."),
  version: z.string().min(1).describe("Version of the artifact."),
  metadata: z.unknown().optional().describe("What the subscription found out about it."),
});
export type ArtifactReference = z.infer<typeof ArtifactReference>;

const contents = {
  commits: z.array(GitCommit).optional().describe("Git commits."),
  images: z.array(Image).optional().describe("Container images."),
  charts: z.array(Chart).optional().describe("Helm charts."),
  artifacts: z.array(ArtifactReference).optional().describe("Artifacts of other kinds."),
};

/** Freight as stages and promotions carry it: its contents, without its life. */
export const FreightReference = z.strictObject({
  name: z.string().default(""),
  origin: FreightOrigin,
  ...contents,
});
export type FreightReference = z.infer<typeof FreightReference>;

export const VerificationPhase = z.enum([
  "Pending",
  "Running",
  "Successful",
  "Failed",
  "Error",
  "Aborted",
  "Inconclusive",
]);
export type VerificationPhase = z.infer<typeof VerificationPhase>;

/** One verification of the freight in a stage. */
export const VerificationInfo = z.object({
  id: z.string().optional(),
  actor: z.string().optional(),
  startTime: z.string().optional(),
  phase: VerificationPhase.optional(),
  message: z.string().optional(),
  analysisRun: z
    .object({ namespace: z.string(), name: z.string(), phase: z.string().default("") })
    .optional(),
  finishTime: z.string().optional(),
});
export type VerificationInfo = z.infer<typeof VerificationInfo>;

/** The freight that a stage holds at one time: at most one piece from each origin. */
export const FreightCollection = z.object({
  id: z.string(),
  /** Keyed by origin, as `Warehouse/<name>`. */
  items: z.record(z.string(), FreightReference).optional(),
  /** The newest first. */
  verificationHistory: z.array(VerificationInfo).optional(),
});
export type FreightCollection = z.infer<typeof FreightCollection>;

export const FreightStatus = z.object({
  /** By stage: where the freight is in use, and since when. */
  currentlyIn: z.record(z.string(), z.object({ since: z.string().optional() })).optional(),
  /** By stage: where it was verified. `longestSoak` is a Go duration. */
  verifiedIn: z
    .record(z.string(), z.object({ verifiedAt: z.string().optional(), longestSoak: z.string().optional() }))
    .optional(),
  /** By stage: which stages may take it by somebody's decision. */
  approvedFor: z.record(z.string(), z.object({ approvedAt: z.string().optional() })).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
});
export type FreightStatus = z.infer<typeof FreightStatus>;

/** A set of artifacts in definite versions, which moves through the stages as one. Its contents never change. */
export const Freight = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("Freight"),
  metadata: GeneratedNameMeta,
  alias: z.string().optional().describe("Name for people; left out, the daemon chooses one."),
  discoveredAt: z.string().optional().describe("When the freight was first found; RFC 3339."),
  origin: FreightOrigin.describe("Warehouse that the freight comes from."),
  ...contents,
  status: FreightStatus.optional(),
});
export type Freight = z.infer<typeof Freight>;

/** The key of an origin in maps and annotations: `Warehouse/<name>`. */
export function originKey(origin: FreightOrigin): string {
  return `${origin.kind}/${origin.name}`;
}
