import { StepFailure, UserError } from "#core/failure.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import { nameApplications } from "#core/stages/argocd-context.ts";
import { autoPromote, syncEffectiveHolds } from "#core/stages/auto-promote.ts";
import { findPolicy, findProjectConfig } from "#core/stages/auto-promotion.ts";
import { rememberStable, rollBack } from "#core/stages/auto-rollback.ts";
import { isControlFlow, listRequestedFreight, nextSoakEnd, waitsForSoak } from "#core/stages/availability.ts";
import { controlFlowStatus, passOn } from "#core/stages/control-flow.ts";
import { findFreeze } from "#core/stages/freeze.ts";
import { gatingSchedule } from "#core/stages/gating-windows.ts";
import { assessHealth, secondsToHealthCheck } from "#core/stages/health.ts";
import { keys } from "#core/stages/keys.ts";
import { createFreightDesk, type StagePass, type StageServices } from "#core/stages/pass.ts";
import { discardWaiting, tellFreeze, tellStandstill } from "#core/stages/standstill.ts";
import { setReconciling, summarize, summarizeFailure } from "#core/stages/summary.ts";
import { supersede } from "#core/stages/supersede.ts";
import { syncFreight } from "#core/stages/sync-freight.ts";
import { listPromotions, type StagePromotions, syncPromotions } from "#core/stages/sync-promotions.ts";
import { isUnderWay } from "#core/stages/verification/phases.ts";
import { markFreight, verifyStage } from "#core/stages/verification/verify-stage.ts";
import { createStageWakeUps } from "#core/stages/wake-ups.ts";
import { retryConflicts } from "#core/store/retry-conflicts.ts";
import { ConflictError, type Write } from "#core/store/store.ts";
import { StoreError } from "#core/store/store-error.ts";

export interface StageReconcilerOptions extends StageServices {
  /** Stages that are looked at at the same time; 20 by default. */
  concurrency?: number;
}

/** How soon a stage is looked at again that something is wrong with which people have to mend. */
const problemSeconds = 60;
/** How soon a stage is looked at again that waits for news, should the news be lost. */
const lostNewsSeconds = 5;

/**
 * Keeps stages up to date: records promotions that ended and says whose turn is next, has freight verified,
 * and promotes what the project's policies let in without being asked. All that one look at a stage comes
 * to is written in one transaction.
 */
export function createStageReconciler(options: StageReconcilerOptions): Reconciler {
  const { store, healthSeconds = 300 } = options;
  const wakeUps = createStageWakeUps();

  async function lookAt(ref: ResourceRef, signal: AbortSignal): Promise<number | undefined> {
    const stage = (await store.get(ref)) as Stage | undefined;
    if (stage === undefined) return undefined;
    const pass = await openPass(stage);
    let isMore: boolean;
    try {
      isMore = isControlFlow(stage) ? await lookAtControlFlow(pass) : await lookAtRegular(pass, signal);
    } catch (error) {
      if (signal.aborted || error instanceof ConflictError || error instanceof StoreError) throw error;
      // What was found out before holds: a missing Warehouse must not keep promotions from being recorded.
      summarizeFailure(pass.stage, error, pass.now);
      await save(pass);
      if (isForPeople(error)) return problemSeconds;
      throw error;
    }
    const isChanged = await save(pass);
    if (pass.problem !== undefined && !(isMore && isChanged)) {
      if (isForPeople(pass.problem)) return problemSeconds;
      throw pass.problem;
    }
    return await secondsUntilNext(pass, isMore, isChanged);
  }

  async function openPass(read: Stage): Promise<StagePass> {
    const stage = {
      ...read,
      status: isControlFlow(read) ? controlFlowStatus(read) : structuredClone(read.status ?? {}),
    };
    const pass: StagePass = {
      stage,
      now: options.now(),
      autoPromotionEnabled: read.status?.autoPromotionEnabled === true,
      freight: createFreightDesk(store, read.metadata.namespace ?? ""),
      writes: [],
    };
    pass.freeze = await findFreeze(store, read);
    if (isControlFlow(read)) return pass;
    const config = await findProjectConfig(store, read);
    pass.schedule = await gatingSchedule(store, read, config, pass.now);
    await orProblem(pass, async () => {
      pass.policy = findPolicy(config, read);
      pass.autoPromotionEnabled = pass.policy?.autoPromotionEnabled === true;
    });
    return pass;
  }

  async function lookAtControlFlow(pass: StagePass): Promise<boolean> {
    nameApplications(pass, undefined);
    if (pass.freeze === undefined) await passOn(pass, store);
    tellFreeze(pass.stage, pass.freeze, pass.now);
    return false;
  }

  /** Returns true when there is more to do as soon as this is written. */
  async function lookAtRegular(pass: StagePass, signal: AbortSignal): Promise<boolean> {
    const { stage, now } = pass;
    const promotions = await discardWaiting(pass, await listPromotions(store, stage));
    tellStandstill(pass);
    await supersede(pass, promotions);
    const isNextWaiting = syncPromotions(pass, promotions);
    await syncFreight(pass, store);
    await assessHealth(pass, options.healthCheckers ?? {}, signal);
    await verifyStage(pass, options);
    await markFreight(pass);
    rememberStable(pass);
    syncEffectiveHolds(pass, promotions);
    await orProblem(pass, () => promoteByPolicy(pass, promotions));

    const held = stage.status.freightHistory?.[0];
    const isVerifying = held !== undefined && isUnderWay(held);
    const isMore = isNextWaiting && !isVerifying;
    summarize(stage, now);
    setReconciling(stage, isMore, now);
    if (pass.problem !== undefined) summarizeFailure(stage, pass.problem, now);
    const refresh = stage.metadata.annotations?.[keys.refresh];
    if (refresh !== undefined) stage.status.lastHandledRefresh = refresh;
    return isMore;
  }

  async function promoteByPolicy(pass: StagePass, promotions: StagePromotions): Promise<void> {
    if (pass.problem !== undefined) return;
    const isRolledBack = await rollBack(pass, options, promotions);
    if (!isRolledBack) await autoPromote(pass, options);
  }

  /** Returns false when the stage's status was right already. */
  async function save({ stage, freight, writes, annotations }: StagePass): Promise<boolean> {
    const { resourceVersion } = stage.metadata;
    const status = { op: "status", ref: refOf(stage), status: stage.status } as const;
    const stageWrites: Write[] =
      annotations === undefined
        ? [{ ...status, resourceVersion }]
        : // The first of the two makes sure that nobody else has changed the stage meanwhile.
          [{ op: "update", resource: { ...stage, metadata: { ...stage.metadata, annotations } } }, status];
    const written = await store.write([...freight.writes(), ...writes, ...stageWrites]);
    return written.at(-1)?.metadata.resourceVersion !== resourceVersion;
  }

  async function secondsUntilNext(
    { stage, schedule, now, autoPromotionEnabled }: StagePass,
    isMore: boolean,
    isChanged: boolean,
  ): Promise<number | undefined> {
    if (isMore) return isChanged ? 0 : lostNewsSeconds;
    const soonest: number[] = [];
    const turn = schedule?.nextOpen ?? schedule?.nextClose;
    if (turn !== undefined) soonest.push((turn.getTime() - now.getTime()) / 1000);
    const nextHealthCheck = secondsToHealthCheck(stage.status, now, healthSeconds);
    if (nextHealthCheck !== undefined) soonest.push(nextHealthCheck);
    if (waitsForSoak(stage) && (autoPromotionEnabled || isControlFlow(stage))) {
      const end = nextSoakEnd(stage, await listRequestedFreight(store, stage), now);
      // Times are kept in whole seconds.
      if (end !== undefined) soonest.push((end.getTime() - now.getTime()) / 1000 + 1);
    }
    return soonest.length === 0 ? undefined : Math.min(...soonest);
  }

  return {
    kind: "Stage",
    concurrency: options.concurrency ?? 20,
    async reconcile(ref, signal) {
      const requeueAfterSeconds = await retryConflicts(() => lookAt(ref, signal));
      return requeueAfterSeconds === undefined ? undefined : { requeueAfterSeconds };
    },
    enqueueFor: wakeUps.enqueueFor,
    async initial() {
      const stages = (await store.list({ kind: "Stage" })) as Stage[];
      wakeUps.know(stages);
      return stages.map(refOf);
    },
  };
}

/** Only somebody's change mends it, and that mostly wakes the stage. The stage's conditions tell it, the log need not. */
function isForPeople(error: unknown): boolean {
  return error instanceof UserError || (error instanceof StepFailure && error.kind === "config");
}

/** Notes what goes wrong where it must not keep the rest of the pass from its work. */
async function orProblem(pass: StagePass, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof StoreError) throw error;
    pass.problem ??= error;
  }
}
