import { promotionEvent } from "#core/promotion/events.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { refOf } from "#core/resources/resource.ts";
import type { Stage, StageStatus } from "#core/resources/stage.ts";
import { deleteCondition, setCondition } from "#core/stages/conditions.ts";
import { describeFreeze } from "#core/stages/freeze.ts";
import { describeClosed, windowStatus } from "#core/stages/gating-windows.ts";
import { keys, stageActor } from "#core/stages/keys.ts";
import type { StagePass } from "#core/stages/pass.ts";
import type { StagePromotions } from "#core/stages/sync-promotions.ts";

/** Whether nothing may be promoted to the stage without somebody asking for it in spite of all. */
export function standsStill({ freeze, schedule }: StagePass): boolean {
  return freeze !== undefined || schedule?.closed === true;
}

/**
 * When windows close the stage, promotions that wait for their turn are removed, as Kargo removes them: nobody is
 * surprised by them when it opens. Those stay that were made although it was closed, with a reason.
 */
export async function discardWaiting(
  pass: StagePass,
  { active, finished }: StagePromotions,
): Promise<StagePromotions> {
  const { schedule, stage, writes, now } = pass;
  if (schedule?.closed !== true) return { active, finished };
  const isDiscarded = ({ metadata, status }: Promotion) =>
    (status?.phase ?? "Pending") === "Pending" &&
    metadata.name !== stage.status.currentPromotion?.name &&
    metadata.annotations?.[keys.windowOverride] === undefined;
  for (const promotion of active.filter(isDiscarded)) {
    const message = `Promotion discarded before it began: ${describeClosed(schedule)}`;
    const freight = await pass.freight.find(promotion.spec.freight ?? "");
    const event = promotionEvent(promotion, freight, {
      phase: "Discarded",
      message,
      at: now,
      actor: stageActor,
    });
    writes.push({ op: "delete", ref: refOf(promotion) }, { op: "event", event });
  }
  return { active: active.filter((promotion) => !isDiscarded(promotion)), finished };
}

/** Has the stage's status tell what keeps promotions from starting. */
export function tellStandstill({ stage, freeze, schedule, now }: StagePass): void {
  const { status } = stage;
  if (schedule === undefined) delete status.promotionWindowStatus;
  else status.promotionWindowStatus = windowStatus(schedule);
  tellFreeze(stage, freeze, now);
}

export function tellFreeze(
  { status, metadata }: Stage & { status: StageStatus },
  freeze: StagePass["freeze"],
  now: Date,
): void {
  if (freeze === undefined) {
    delete status.freeze;
    deleteCondition(status, "Frozen");
    return;
  }
  status.freeze = freeze;
  const condition = {
    type: "Frozen",
    status: "True",
    reason: "Frozen",
    message: describeFreeze(freeze),
  } as const;
  setCondition(status, { ...condition, observedGeneration: metadata.generation }, now);
}
