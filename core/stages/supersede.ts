import { abortAnnotation, abortRequest } from "#core/promotion/abort.ts";
import { originKey } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import { keys, stageActor } from "#core/stages/keys.ts";
import type { StagePass } from "#core/stages/pass.ts";
import type { StagePromotions } from "#core/stages/sync-promotions.ts";

/**
 * In a stage whose queue is to be superseded, a newer promotion takes the place of those of the same origin
 * that still wait: these are aborted. One that has begun is left to end.
 */
export async function supersede(
  { stage, freight, writes }: StagePass,
  { active }: StagePromotions,
): Promise<void> {
  if (stage.metadata.annotations?.[keys.queue] !== "supersede") return;
  const taken = new Set<string>();
  for (const promotion of active.toReversed()) {
    if (promotion.status?.phase === "Running" || abortRequest(promotion.metadata) !== undefined) continue;
    const piece = await freight.find(promotion.spec.freight ?? "");
    const origin = piece === undefined ? "" : originKey(piece.origin);
    if (taken.has(origin)) writes.push({ op: "update", resource: aborted(promotion) });
    taken.add(origin);
  }
}

function aborted(promotion: Promotion): Resource {
  const { metadata } = promotion;
  const annotations = { ...metadata.annotations, [keys.abort]: abortAnnotation(stageActor) };
  return { ...promotion, metadata: { ...metadata, annotations } } as Resource;
}
