import { UserError } from "#core/failure.ts";
import { type Freight, originKey } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { selectCandidates } from "#core/stages/auto-promotion.ts";
import { listChoice } from "#core/stages/availability.ts";
import {
  commonUpstream,
  findCombination,
  followsCombination,
  holdsAll,
  isOf,
  mayTryAgain,
} from "#core/stages/combination.ts";
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
  if (followsCombination(stage)) return await promoteCombination(pass, services);
  const candidates = selectCandidates(stage, await listChoice(services.store, stage, now));
  for (const [origin, candidate] of candidates) {
    if (stage.status.effectiveAutoPromotionHolds?.[origin] !== undefined) continue;
    if (isThereOrComing(stage, candidate)) continue;
    if (!mayTryAgain(stage, await listPromotionsOf(services.store, stage, candidate))) continue;
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
 * Promotes what the one upstream stage holds, all of it as one, once it was verified there as it is. Rests while
 * auto-promotion does for any of it.
 */
async function promoteCombination(pass: StagePass, services: PromotionServices): Promise<void> {
  const { stage, now } = pass;
  const { name, namespace: project } = stage.metadata;
  const upstreamName = commonUpstream(stage);
  if (upstreamName === undefined) {
    throw new UserError(
      `Cannot auto-promote a combination to Stage "${name}": all its requests must name one upstream stage, the same`,
    );
  }
  const upstream = await services.store.get({ kind: "Stage", project, name: upstreamName });
  const combination = await findCombination(services.store, stage, upstream as Stage | undefined, now);
  if (combination === undefined || holdsAll(stage, combination)) return;
  const isHeld = ({ origin }: Freight) =>
    stage.status?.effectiveAutoPromotionHolds?.[originKey(origin)] !== undefined;
  if (combination.freight.some(isHeld)) return;
  const first = combination.freight[0] as Freight;
  const own = (await listPromotionsOf(services.store, stage, first)).filter((one) => isOf(one, combination));
  if (!mayTryAgain(stage, own)) return;
  const message = `Automatically promoted all that Stage "${upstreamName}" holds to Stage "${name}"`;
  const { annotations } = combination;
  pass.writes.push(...(await automaticPromotion(services, stage, first, { message, annotations })));
}

/** All promotions of the freight to the stage, in order. */
async function listPromotionsOf(store: Store, stage: Stage, freight: Freight): Promise<Promotion[]> {
  const { namespace: project, name } = stage.metadata;
  const where = { "spec.stage": [name], "spec.freight": [freight.metadata.name] };
  const found: Resource[] = await store.list({ kind: "Promotion", project, where });
  return (found as Promotion[]).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
}
