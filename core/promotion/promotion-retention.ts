import { isFinished } from "#core/promotion/final-phase.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Retention } from "#core/retention.ts";
import type { Store } from "#core/store/store.ts";

/**
 * Deletes a stage's old promotions, by Kargo's rules: counted from the oldest that is not over. What belongs
 * to them goes with them. Returns how many it deleted.
 */
export async function deleteOldPromotions(
  store: Store,
  { project, name }: ResourceRef,
  { maxRetained, minAgeMs }: Retention,
  now: Date,
): Promise<number> {
  const where = { "spec.stage": [name] };
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
