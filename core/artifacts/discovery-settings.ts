import type { CacheByTagPolicy } from "#core/artifacts/discovery-deps.ts";
import { countFrom, type Environment, millisecondsFrom } from "#core/environment.ts";
import { UserError } from "#core/failure.ts";

/** What an operator decides for all Warehouses. */
export interface DiscoverySettings {
  cacheByTagPolicy: CacheByTagPolicy;
  /** Requests a second to each registry. */
  registryRequestsPerSecond: number;
  minIntervalSeconds: number;
  /** Warehouses that are reconciled at once. */
  concurrency: number;
}

const policies: readonly CacheByTagPolicy[] = ["Allow", "Forbid", "Require", "Force"];

/**
 * From the variables that Kargo has for the same: CACHE_BY_TAG_POLICY, IMAGE_REGISTRY_RATE_LIMIT,
 * MIN_WAREHOUSE_RECONCILIATION_INTERVAL and MAX_CONCURRENT_WAREHOUSE_RECONCILES. Throws a UserError that names the one that cannot be read.
 */
export function discoverySettingsFrom(env: Environment): DiscoverySettings {
  return {
    cacheByTagPolicy: readPolicy(env.CACHE_BY_TAG_POLICY),
    registryRequestsPerSecond: countFrom(env, "IMAGE_REGISTRY_RATE_LIMIT", 20),
    minIntervalSeconds: millisecondsFrom(env, "MIN_WAREHOUSE_RECONCILIATION_INTERVAL", 0) / 1000,
    concurrency: countFrom(env, "MAX_CONCURRENT_WAREHOUSE_RECONCILES", 4),
  };
}

function readPolicy(value = ""): CacheByTagPolicy {
  if (value === "") return "Allow";
  const policy = policies.find((known) => known === value);
  if (policy !== undefined) return policy;
  throw new UserError(`Cannot use CACHE_BY_TAG_POLICY "${value}": it must be one of ${policies.join(", ")}`);
}
