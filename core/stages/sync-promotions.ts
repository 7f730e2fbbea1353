import type { FreightCollection } from "#core/resources/freight.ts";
import type { Promotion, PromotionPhase } from "#core/resources/promotion.ts";
import type { PromotionReference, Stage, StageStatus } from "#core/resources/stage.ts";
import { nameApplications } from "#core/stages/argocd-context.ts";
import { deleteCondition, setCondition } from "#core/stages/conditions.ts";
import { applyIntent, requestedHolds } from "#core/stages/holds.ts";
import type { StagePass } from "#core/stages/pass.ts";
import { isOver, isUnderWay } from "#core/stages/verification/phases.ts";
import type { Store } from "#core/store/store.ts";

/** The promotions of a stage that its next pass has to do with, in the order of their names. */
export interface StagePromotions {
  /** Queued, waiting or running. */
  active: Promotion[];
  /** Over, and not yet recorded in the stage's status; without those that never began. */
  finished: Promotion[];
}

const terminalPhases: readonly PromotionPhase[] = ["Succeeded", "Failed", "Errored", "Aborted"];
const longestHistory = 10;
/** More than these are rarely news at once; only then all are read. */
const fewPromotions = 20;

export async function listPromotions(store: Store, { metadata, status }: Stage): Promise<StagePromotions> {
  const { namespace: project, name } = metadata;
  const last = status?.lastPromotion?.name ?? "";
  const list = async (phases: readonly (string | null)[], limit?: number) => {
    const where = { "spec.stage": [name], "status.phase": phases };
    const found = await store.list({ kind: "Promotion", project, where, limit });
    return (found as Promotion[]).sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  };
  const isNews = (promotion: Promotion) => promotion.metadata.name > last;
  // In this order, so that one that ends in between is found twice rather than not at all.
  const active = await list([null, "", "Pending", "Running"]);
  const newest = (await list(terminalPhases, fewPromotions)).filter(isNews);
  const finished = newest.length < fewPromotions ? newest : (await list(terminalPhases)).filter(isNews);
  return { active, finished: finished.filter(hasBegun) };
}

/**
 * Brings the stage's status up to date with its promotions: records the ones that ended, and says whose turn
 * is next. Returns true when one is waiting that could be next, but for what this pass has yet to find out.
 */
export function syncPromotions(pass: StagePass, { active, finished }: StagePromotions): boolean {
  const { stage, autoPromotionEnabled } = pass;
  const { status } = stage;
  keepHolds(status, autoPromotionEnabled ? requestedHolds(status.autoPromotionHolds ?? {}, stage) : {});

  const waiting = pass.freeze === undefined ? active[0] : undefined;
  const next = active.find(({ status }) => status?.phase === "Running") ?? waiting;
  const current = status.currentPromotion;
  const isCurrentOver = current !== undefined && current.name !== next?.metadata.name;
  if (isCurrentOver || (current === undefined && finished.length > 0)) {
    deleteCondition(status, "Promoting");
    delete status.currentPromotion;
    for (const promotion of finished) recordEnd(pass, promotion);
    return next !== undefined;
  }
  if (next === undefined || mustVerifyFirst(status)) {
    deleteCondition(status, "Promoting");
    return next !== undefined;
  }
  setCurrent(pass, next);
  return false;
}

/** A promotion that was aborted in the queue never came to the stage: it leaves no trace there. */
function hasBegun({ status }: Promotion): boolean {
  return status?.phase !== "Aborted" || status.startedAt !== undefined;
}

function setCurrent({ stage, now }: StagePass, { metadata, status }: Promotion): void {
  const message = `Promotion "${metadata.name}" is currently ${status?.phase ?? "Pending"}`;
  const condition = { type: "Promoting", status: "True", reason: "ActivePromotion", message } as const;
  setCondition(stage.status, { ...condition, observedGeneration: stage.metadata.generation }, now);
  stage.status.currentPromotion = {
    name: metadata.name,
    ...(status?.freight === undefined ? {} : { freight: status.freight }),
  };
}

/**
 * A promotion waits for the verification of what is there, so that its outcome is known. Where the stage is
 * not healthy or the verification failed, the promotion may be what mends it.
 */
function mustVerifyFirst({ freightHistory, health }: StageStatus): boolean {
  const held = freightHistory?.[0];
  if (held === undefined) return false;
  if (isUnderWay(held)) return true;
  const isHealthy = health === undefined || health.status === "Healthy";
  return isHealthy && !isOver(held.verificationHistory?.[0]?.phase);
}

function recordEnd(pass: StagePass, promotion: Promotion): void {
  const { stage, now, autoPromotionEnabled } = pass;
  const { status } = stage;
  if (autoPromotionEnabled) keepHolds(status, applyIntent(status.autoPromotionHolds ?? {}, promotion, stage));
  const reference = toReference(promotion);
  status.lastPromotion = reference;
  if (promotion.status?.phase !== "Succeeded") return;

  nameApplications(pass, promotion);
  recordFreight(status, reference.status?.freightCollection);
  delete status.health;
  const observedGeneration = stage.metadata.generation;
  setCondition(
    status,
    {
      type: "Healthy",
      status: "Unknown",
      reason: "WaitingForHealthCheck",
      message: "Waiting for health check to be performed after successful promotion",
      observedGeneration,
    },
    now,
  );
  setCondition(
    status,
    {
      type: "Verified",
      status: "Unknown",
      reason: "WaitingForVerification",
      message: "Waiting for verification to be performed after successful promotion",
      observedGeneration,
    },
    now,
  );
}

function toReference({ metadata, status = {} }: Promotion): PromotionReference {
  const { freight, finishedAt } = status;
  return {
    name: metadata.name,
    ...(freight === undefined ? {} : { freight }),
    status,
    ...(finishedAt === undefined ? {} : { finishedAt }),
  };
}

function recordFreight(status: StageStatus, collection: FreightCollection | undefined): void {
  if (collection === undefined) return;
  const { verificationHistory: _, ...fresh } = collection;
  status.freightHistory = [fresh, ...(status.freightHistory ?? [])].slice(0, longestHistory);
}

function keepHolds(status: StageStatus, holds: NonNullable<StageStatus["autoPromotionHolds"]>): void {
  if (Object.keys(holds).length > 0) status.autoPromotionHolds = holds;
  else delete status.autoPromotionHolds;
}
