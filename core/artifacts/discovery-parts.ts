import { createChartMemory } from "#core/artifacts/chart-memory.ts";
import type { DiscoveryDeps } from "#core/artifacts/discovery-deps.ts";
import { createImageMemory } from "#core/artifacts/image-memory.ts";
import { createBoundedMap } from "#core/bounded-map.ts";
import { createRegistryClient } from "#core/oci/registry-client.ts";
import type { Fetch } from "#core/step.ts";

/** The parts of discovery that all Warehouses share: what was asked once need not be asked again. */
export type DiscoveryParts = Omit<DiscoveryDeps, "git" | "credentials" | "matches" | "signal">;

export interface DiscoveryPartsSettings
  extends Partial<Pick<DiscoveryDeps, "ownFolders" | "cacheByTagPolicy" | "now">> {
  fetch: Fetch;
  /** Of each registry, by all Warehouses together; 20 by default. */
  registryRequestsPerSecond?: number;
}

export function createDiscoveryParts({
  fetch,
  registryRequestsPerSecond: requestsPerSecond = 20,
  ownFolders = [],
  cacheByTagPolicy = "Allow",
  now = () => new Date(),
}: DiscoveryPartsSettings): DiscoveryParts {
  const clock = () => now().getTime();
  return {
    fetch,
    ownFolders,
    cacheByTagPolicy,
    now,
    registries: createRegistryClient({ fetch, limits: { requestsPerSecond }, now: clock }),
    images: createImageMemory(clock),
    charts: createChartMemory(fetch, clock),
    observations: createBoundedMap(10_000),
    changes: createBoundedMap(500_000, (paths) => paths.length + 1),
  };
}
