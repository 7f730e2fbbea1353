import type { Stage, StageStatus } from "#core/resources/stage.ts";
import { listChoice } from "#core/stages/availability.ts";
import { getCondition, setCondition } from "#core/stages/conditions.ts";
import { freightVerified } from "#core/stages/events.ts";
import { isVerifiedIn, verify } from "#core/stages/freight-status.ts";
import { keys } from "#core/stages/keys.ts";
import type { StagePass } from "#core/stages/pass.ts";
import { toTime } from "#core/stages/times.ts";
import type { Store } from "#core/store/store.ts";

/** A stage without steps passes on at once, as verified, all that becomes available to it. */
export async function passOn({ stage, freight: desk, now, writes }: StagePass, store: Store): Promise<void> {
  const { name } = stage.metadata;
  for (const available of await listChoice(store, stage, now)) {
    if (isVerifiedIn(available, name)) continue;
    const freight = desk.take(available);
    desk.change(freight, verify(freight.status ?? {}, name, toTime(now)));
    const verification = { phase: "Successful", startTime: toTime(now), finishTime: toTime(now) } as const;
    writes.push({ op: "event", event: freightVerified(freight, name, verification, { at: now }) });
  }
  setCondition(stage.status, { type: "Ready", status: "True", reason: "Ready" }, now);
}

/** What a stage without steps says of itself: nothing that has to do with promotions. */
export function controlFlowStatus({ metadata, status = {} }: Stage): StageStatus {
  const ready = getCondition(status, "Ready");
  const frozen = getCondition(status, "Frozen");
  const refresh = metadata.annotations?.[keys.refresh] ?? status.lastHandledRefresh;
  return {
    freightSummary: "N/A",
    observedGeneration: metadata.generation,
    ...(ready === undefined ? {} : { conditions: frozen === undefined ? [ready] : [ready, frozen] }),
    ...(refresh === undefined ? {} : { lastHandledRefresh: refresh }),
    ...(status.metadata === undefined ? {} : { metadata: status.metadata }),
  };
}
