import { isFinished } from "#core/promotion/final-phase.ts";
import { type Freight, originKey } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { selectCandidates } from "#core/stages/auto-promotion.ts";
import { listChoice } from "#core/stages/availability.ts";
import { automaticPromotion, type PromotionServices } from "#core/stages/create-promotion.ts";
import { effectiveHolds } from "#core/stages/holds.ts";
import type { StagePass } from "#core/stages/pass.ts";
import { standsStill } from "#core/stages/standstill.ts";
import type { StagePromotions } from "#core/stages/sync-promotions.ts";
import type { Store } from "#core/store/store.ts";

/** Says for which origins auto-promotion rests, the promotions that are not over yet taken into account. */
export function syncEffectiveHolds({ stage, autoPromotionEnabled }: StagePass, known: StagePromotions): void {
  const { status } = stage;
  const last = status.lastPromotion?.name ?? "";
  const unrecorded = [...known.finished, ...known.active].filter(({ metadata }) => metadata.name > last);
  const holds = autoPromotionEnabled ? effectiveHolds(stage, unrecorded) : {};
  if (Object.keys(holds).length > 0) status.effectiveAutoPromotionHolds = holds;
  else delete status.effectiveAutoPromotionHolds;
}

/** Promotes for each origin what auto-promotion chooses, unless that is there, on its way, or has failed before. */
export async function autoPromote(pass: StagePass, services: PromotionServices): Promise<void> {
  const { stage, autoPromotionEnabled, now } = pass;
  if (!autoPromotionEnabled) {
    delete stage.status.autoPromotionEnabled;
    return;
  }
  stage.status.autoPromotionEnabled = true;
  if (standsStill(pass)) return;
  const candidates = selectCandidates(stage, await listChoice(services.store, stage, now));
  for (const [origin, candidate] of candidates) {
    if (stage.status.effectiveAutoPromotionHolds?.[origin] !== undefined) continue;
    if (isThereOrComing(stage, candidate)) continue;
    if (!(await mayTry(services.store, stage, candidate))) continue;
    const message = `Automatically promoted Freight from origin "${origin}" for Stage "${stage.metadata.name}"`;
    pass.writes.push(...(await automaticPromotion(services, stage, candidate, { message })));
  }
}

function isThereOrComing({ status }: Stage, { metadata, origin }: Freight): boolean {
  const key = originKey(origin);
  if (status?.freightHistory?.[0]?.items?.[key]?.name === metadata.name) return true;
  const coming = status?.currentPromotion?.freight;
  return coming?.name === metadata.name && originKey(coming.origin) === key;
}

/**
 * Not while another promotion of the freight is under way, or has succeeded and waits to be recorded; and
 * not when the last one did not succeed, since it would fail again for ever.
 */
async function mayTry(store: Store, stage: Stage, freight: Freight): Promise<boolean> {
  const { namespace: project, name } = stage.metadata;
  const where = { "spec.stage": [name], "spec.freight": [freight.metadata.name] };
  const found: Resource[] = await store.list({ kind: "Promotion", project, where });
  const promotions = (found as Promotion[]).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const last = stage.status?.lastPromotion?.name ?? "";
  const isUnprocessed = ({ metadata, status }: Promotion) =>
    !isFinished(status?.phase) || (status?.phase === "Succeeded" && metadata.name > last);
  if (promotions.some(isUnprocessed)) return false;
  const newest = promotions.at(-1);
  return newest === undefined || newest.status?.phase === "Succeeded";
}
