import type { ChartMemory } from "#core/artifacts/chart-memory.ts";
import type { ExpressionFilter } from "#core/artifacts/git-selection.ts";
import type { ImageMemory } from "#core/artifacts/image-memory.ts";
import type { LeftOut } from "#core/artifacts/selection.ts";
import type { BoundedMap } from "#core/bounded-map.ts";
import type { CredentialSource } from "#core/credentials/credentials.ts";
import type { Git } from "#core/git/git.ts";
import type { RegistryClient } from "#core/oci/registry-client.ts";
import type {
  ChartDiscoveryResult,
  GitDiscoveryResult,
  ImageDiscoveryResult,
} from "#core/resources/warehouse.ts";
import type { Fetch } from "#core/step.ts";

/** Whether Warehouses may take it that tags never move; an operator's decision. */
export type CacheByTagPolicy = "Allow" | "Forbid" | "Require" | "Force";

/** What discovery reaches the world through. */
export interface DiscoveryDeps {
  git: Git;
  /** The daemon's own folders, which no repository may lie in. */
  ownFolders: readonly string[];
  fetch: Fetch;
  registries: RegistryClient;
  images: ImageMemory;
  charts: ChartMemory;
  /** Fingerprints of refs too many for a status, by subscription. */
  observations: BoundedMap<string>;
  /** The files that commits change, by repository and commit. */
  changes: BoundedMap<readonly string[]>;
  /** Of the Warehouse's project. */
  credentials: CredentialSource;
  matches: ExpressionFilter;
  cacheByTagPolicy: CacheByTagPolicy;
  now(): Date;
  signal: AbortSignal | undefined;
}

/** What one subscription found. */
export type Found = { chosen: string[]; leftOut: LeftOut[]; unchanged: boolean } & (
  | { kind: "git"; result: GitDiscoveryResult }
  | { kind: "image"; result: ImageDiscoveryResult }
  | { kind: "chart"; result: ChartDiscoveryResult }
);
