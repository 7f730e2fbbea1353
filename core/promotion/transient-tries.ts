import type { PromotionStep } from "#core/resources/promotion.ts";
import type { Store, Write } from "#core/store/store.ts";

/** How often a step failed transiently in a row without it being counted. */
export async function transientTries(
  store: Pick<Store, "journal">,
  promotionUid: string,
  step: PromotionStep,
): Promise<number> {
  const recorded = await store.journal(promotionUid, keyFor(step));
  return typeof recorded?.value === "number" ? recorded.value : 0;
}

/** Kept beside the status, whose fields are Kargo's, and forgotten with the promotion. */
export function rememberTries(promotionUid: string, step: PromotionStep, tries: number): Write {
  return { op: "journal", scope: promotionUid, key: keyFor(step), value: tries };
}

function keyFor(step: PromotionStep): string {
  return `transient tries of ${step.as}`;
}
