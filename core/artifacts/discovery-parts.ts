import { createChartMemory } from "#core/artifacts/chart-memory.ts";
import type { DiscoveryDeps } from "#core/artifacts/discovery-deps.ts";
import { createImageMemory } from "#core/artifacts/image-memory.ts";
import type { BudgetLimits } from "#core/oci/budget.ts";
import { createRegistryClient } from "#core/oci/registry-client.ts";
import type { Fetch } from "#core/step.ts";

/** The parts of discovery that all Warehouses share: what was asked once need not be asked again. */
export type DiscoveryParts = Omit<DiscoveryDeps, "git" | "credentials" | "matches" | "signal">;

export interface DiscoveryPartsSettings
  extends Partial<Pick<DiscoveryDeps, "ownFolders" | "cacheByTagPolicy" | "now">> {
  fetch: Fetch;
  /** How hard each registry may be asked. */
  registryLimits?: Partial<BudgetLimits>;
}

export function createDiscoveryParts({
  fetch,
  registryLimits = {},
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
    registries: createRegistryClient({ fetch, limits: registryLimits, now: clock }),
    images: createImageMemory(clock),
    charts: createChartMemory(fetch, clock),
    observations: new Map(),
  };
}
