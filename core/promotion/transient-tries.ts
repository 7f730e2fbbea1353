import type { PromotionStep } from "#core/resources/promotion.ts";
import type { Store, Write } from "#core/store/store.ts";

/** How often a step failed transiently without it being counted as an error. */
export interface TransientTries {
  /** Since something else happened. */
  inARow: number;
  inAll: number;
}

export const noTries: TransientTries = { inARow: 0, inAll: 0 };

export async function recallTries(
  store: Pick<Store, "journal">,
  promotionUid: string,
  step: PromotionStep,
): Promise<TransientTries> {
  const recorded = await store.journal(promotionUid, keyFor(step));
  return (recorded?.value as TransientTries | undefined) ?? noTries;
}

/**
 * The tries after an attempt that left `inARow` of them; nothing to write when there are as many as before.
 * They are kept beside the status, whose fields are Kargo's, and forgotten with the promotion.
 */
export function rememberTries(
  promotionUid: string,
  step: PromotionStep,
  before: TransientTries,
  inARow: number,
): Write[] {
  if (inARow === before.inARow) return [];
  const inAll = before.inAll + Math.max(inARow - before.inARow, 0);
  const value: TransientTries = { inARow, inAll };
  return [{ op: "journal", scope: promotionUid, key: keyFor(step), value }];
}

function keyFor(step: PromotionStep): string {
  return `transient tries of ${step.as}`;
}
