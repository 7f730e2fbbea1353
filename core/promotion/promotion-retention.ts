import { UserError } from "#core/failure.ts";
import { parseDuration } from "#core/resources/duration.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Store } from "#core/store/store.ts";

/** How many finished promotions are kept. */
export interface PromotionRetention {
  /** Promotions that are older than the oldest one under way, for each stage. */
  maxRetained: number;
  /** Promotions created less than so many milliseconds ago are never deleted. */
  minAgeMs: number;
}

const defaults: PromotionRetention = {
  maxRetained: 20,
  minAgeMs: 14 * 24 * 60 * 60_000,
};

/** From Kargo's variables MAX_RETAINED_PROMOTIONS and MIN_PROMOTION_DELETION_AGE. Throws a UserError. */
export function promotionRetentionFrom(env: Record<string, string | undefined>): PromotionRetention {
  const { MAX_RETAINED_PROMOTIONS: max, MIN_PROMOTION_DELETION_AGE: age } = env;
  const maxRetained = max ? Number(max) : defaults.maxRetained;
  const minAgeMs = age ? parseDuration(age) : defaults.minAgeMs;
  if (!Number.isInteger(maxRetained) || maxRetained < 0) {
    throw new UserError(`Cannot use MAX_RETAINED_PROMOTIONS "${max}": expected a whole number from 0 on`);
  }
  if (minAgeMs === undefined || minAgeMs < 0) {
    throw new UserError(`Cannot use MIN_PROMOTION_DELETION_AGE "${age}": expected a duration such as 336h`);
  }
  return { maxRetained, minAgeMs };
}

/** Deletes a stage's old promotions by Kargo's rules; what belongs to them goes with them. */
export async function deleteOldPromotions(
  store: Store,
  stage: ResourceRef,
  { maxRetained, minAgeMs }: PromotionRetention,
  now: Date,
): Promise<number> {
  const { project } = stage;
  const where = { "spec.stage": [stage.name] };
  const scope = project === undefined ? {} : { project };
  const promotions = (await store.list({ kind: "Promotion", ...scope, where })) as Promotion[];
  // Listed in the order of their creation.
  const newestFirst = promotions.reverse();
  const oldestUnderWay = newestFirst.findLastIndex(({ status }) => !isFinished(status?.phase));
  const old = newestFirst
    .slice(oldestUnderWay + 1 + maxRetained)
    .filter(({ metadata }) => now.getTime() - Date.parse(metadata.creationTimestamp ?? "") >= minAgeMs);
  for (const promotion of old) await store.write([{ op: "delete", ref: refOf(promotion) }]);
  return old.length;
}

function isFinished(phase: string | undefined): boolean {
  return phase !== undefined && phase !== "" && phase !== "Pending" && phase !== "Running";
}
