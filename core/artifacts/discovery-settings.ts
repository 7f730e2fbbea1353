import type { CacheByTagPolicy } from "#core/artifacts/discovery-deps.ts";
import { UserError } from "#core/failure.ts";
import { parseDuration } from "#core/resources/duration.ts";

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
export function discoverySettingsFrom(env: Record<string, string | undefined>): DiscoverySettings {
  return {
    cacheByTagPolicy: readPolicy(env.CACHE_BY_TAG_POLICY),
    registryRequestsPerSecond: readCount(env, "IMAGE_REGISTRY_RATE_LIMIT", 20),
    minIntervalSeconds: readSeconds(env, "MIN_WAREHOUSE_RECONCILIATION_INTERVAL", 0),
    concurrency: readCount(env, "MAX_CONCURRENT_WAREHOUSE_RECONCILES", 4),
  };
}

function readPolicy(value = ""): CacheByTagPolicy {
  if (value === "") return "Allow";
  const policy = policies.find((known) => known === value);
  if (policy !== undefined) return policy;
  throw new UserError(`Cannot use CACHE_BY_TAG_POLICY "${value}": it must be one of ${policies.join(", ")}`);
}

function readCount(env: Record<string, string | undefined>, name: string, otherwise: number): number {
  const value = env[name];
  if (!value) return otherwise;
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value);
  throw new UserError(`Cannot use ${name} "${value}": expected a whole number from 1 on`);
}

function readSeconds(env: Record<string, string | undefined>, name: string, otherwise: number): number {
  const value = env[name];
  if (!value) return otherwise;
  const milliseconds = parseDuration(value);
  if (milliseconds !== undefined && milliseconds >= 0) return milliseconds / 1000;
  throw new UserError(`Cannot use ${name} "${value}": expected a duration such as 5m`);
}
