import { toStepFailure } from "#core/failure.ts";
import { abortRequest } from "#core/promotion/abort.ts";
import { findFreight, finish, forget, terminate } from "#core/promotion/endings.ts";
import { advance } from "#core/promotion/engine.ts";
import { isFinished } from "#core/promotion/final-phase.ts";
import { targetCollection, toReference } from "#core/promotion/freight-collection.ts";
import { freightSetOf } from "#core/promotion/freight-set.ts";
import { keys } from "#core/promotion/keys.ts";
import { type OpenRun, openRun } from "#core/promotion/open-run.ts";
import type { Progress } from "#core/promotion/progress.ts";
import { askForReverification } from "#core/promotion/reverify.ts";
import type { PromotionServices } from "#core/promotion/services.ts";
import { createWakeUps } from "#core/promotion/wake-ups.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion, PromotionStatus } from "#core/resources/promotion.ts";
import { formatRef, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import { NotFoundError, type ResourceChange } from "#core/store/store.ts";
import { StoreError } from "#core/store/store-error.ts";

export interface PromotionReconciler extends Reconciler {
  /** Stops listening to the store. */
  close(): void;
}

const defaultConcurrency = 50;
const secondsUntilStageIsFree = 5;
/** Steps without a time-out of their own may take long without anything being wrong. */
const longestRunSeconds = 24 * 60 * 60;

/**
 * Runs promotions. A promotion runs when its stage says that it is its current one, which stages say of one
 * promotion at a time, in the order of creation; until then it is Pending.
 */
export function createPromotionReconciler(services: PromotionServices): PromotionReconciler {
  const { store, folders } = services;
  /** What ends the work on a promotion that is being reconciled. */
  const underWay = new Map<string, AbortController>();
  const wakeUps = createWakeUps();

  const stopWatching = store.watch(({ type, resource }: ResourceChange) => {
    if (resource.kind !== "Promotion") return;
    const own = underWay.get(formatRef(refOf(resource)));
    if (type === "DELETED") {
      own?.abort(new Error("the promotion was deleted"));
      forget(services, resource as Promotion).catch(services.onError);
    } else if (abortRequest(resource.metadata) !== undefined) {
      own?.abort(new Error("the promotion was aborted"));
    }
  });

  async function reconcile(
    ref: ResourceRef,
    signal: AbortSignal,
  ): Promise<{ requeueAfterSeconds?: number } | undefined> {
    // In place before the promotion is read, so that no abort falls between.
    const own = new AbortController();
    underWay.set(formatRef(ref), own);
    let progress: Progress | undefined;
    try {
      progress = await lookAt(ref, AbortSignal.any([signal, own.signal]), signal);
    } catch (error) {
      // Deleted meanwhile: nothing is left to write to.
      if (!(error instanceof NotFoundError)) throw error;
    } finally {
      underWay.delete(formatRef(ref));
    }
    if (progress?.state === "interrupted") {
      return own.signal.aborted ? reconcile(ref, signal) : { requeueAfterSeconds: 0 };
    }
    if (progress?.state !== "waiting" || !Number.isFinite(progress.retryInSeconds)) return undefined;
    return { requeueAfterSeconds: progress.retryInSeconds };
  }

  /** Does what is to be done; undefined when that is nothing, or not yet. */
  async function lookAt(
    ref: ResourceRef,
    signal: AbortSignal,
    stopping: AbortSignal,
  ): Promise<Progress | undefined> {
    const promotion = (await store.get(ref)) as Promotion | undefined;
    if (promotion === undefined || isFinished(promotion.status?.phase)) return undefined;
    const abort = abortRequest(promotion.metadata);
    if (abort !== undefined) {
      const isOver = await terminate(services, promotion, abort, stopping);
      return isOver ? undefined : { state: "interrupted" };
    }
    const stageRef = { kind: "Stage", project: ref.project, name: promotion.spec.stage };
    const stage = (await store.get(stageRef)) as Stage | undefined;
    if (stage?.status?.currentPromotion?.name !== ref.name) {
      await markPending(promotion);
      return undefined;
    }
    if (promotion.status?.phase !== "Running" && !(await mayBegin(promotion, stage))) {
      await markPending(promotion);
      return { state: "waiting", retryInSeconds: secondsUntilStageIsFree };
    }
    return await run(promotion, stage, signal);
  }

  /** A stage may have been frozen since it gave the promotion its turn. */
  async function mayBegin(promotion: Promotion, stage: Stage): Promise<boolean> {
    if (await services.isFrozen?.(stage)) return false;
    return !(await isAnyRunning(promotion));
  }

  /** Stages say whose turn it is, one at a time; should one ever be wrong, what runs has the turn until it is over. */
  async function isAnyRunning({ metadata, spec }: Promotion): Promise<boolean> {
    const running = await store.list({
      kind: "Promotion",
      project: metadata.namespace,
      where: { "spec.stage": [spec.stage], "status.phase": ["Running"] },
    });
    return running.length > 0;
  }

  async function markPending(promotion: Promotion): Promise<void> {
    if (promotion.status?.phase !== undefined) return;
    const status: PromotionStatus = { ...promotion.status, phase: "Pending" };
    await store.write([{ op: "status", ref: refOf(promotion), status }]);
  }

  async function run(promotion: Promotion, stage: Stage, signal: AbortSignal): Promise<Progress> {
    const freight = await findFreight(services, promotion);
    const companions = await findCompanions(promotion);
    const running = await openRun(store, services.masker, {
      promotion: {
        ...promotion,
        status: runningStatus(promotion, stage, freight, companions, services.now()),
      },
      freight,
      freightRequests: stage.spec.requestedFreight,
      workspace: folders.pathOf(promotion.metadata.uid ?? ""),
      uiBaseUrl: services.uiBaseUrl,
    });
    try {
      await checkFreight(promotion, stage, promotion.spec.freight, freight);
      for (const [name, companion] of companions) await checkFreight(promotion, stage, name, companion);
      await prepareFolder(running);
      const progress = await advance(running, services, signal);
      if (progress.state !== "finished") return progress;
    } catch (error) {
      // The store being in trouble says nothing about the promotion: it goes on when the store does.
      if (error instanceof StoreError || error instanceof NotFoundError) throw error;
      failRun(running, toStepFailure(error).message, services.now());
    }
    await finish(services, promotion, running, freight);
    if (running.status.phase === "Succeeded") {
      await askForReverification(store, stage, promotion.spec.freight ?? "").catch(services.onError);
    }
    return { state: "finished" };
  }

  /** What is promoted with the freight as one, by name. */
  async function findCompanions(promotion: Promotion): Promise<Map<string, Freight | undefined>> {
    const companions = new Map<string, Freight | undefined>();
    for (const name of Object.values(freightSetOf(promotion) ?? {})) {
      if (name === promotion.spec.freight) continue;
      const ref = { kind: "Freight", project: promotion.metadata.namespace, name };
      companions.set(name, (await store.get(ref)) as Freight | undefined);
    }
    return companions;
  }

  async function checkFreight(
    promotion: Promotion,
    stage: Stage,
    name: string | undefined,
    freight: Freight | undefined,
  ): Promise<void> {
    const { namespace } = promotion.metadata;
    const what = `Freight "${name}"`;
    if (freight === undefined) throw new Error(`${what} not found in namespace "${namespace}"`);
    if (await services.isFreightAvailable(stage, freight)) return;
    throw new Error(`${what} is not available to Stage "${stage.metadata.name}" in namespace "${namespace}"`);
  }

  async function prepareFolder({ status, uid }: OpenRun): Promise<void> {
    const hasBegun = status.stepExecutionMetadata?.some(({ startedAt }) => startedAt !== undefined);
    await (hasBegun ? folders.find(uid) : folders.make(uid));
  }

  return {
    kind: "Promotion",
    concurrency: services.concurrency ?? defaultConcurrency,
    maxSeconds: longestRunSeconds,
    reconcile,
    enqueueFor: wakeUps,
    /** What was running or queued; working directories that a crash left behind are removed on the way. */
    async initial() {
      const unfinished = await store.list({
        kind: "Promotion",
        where: { "status.phase": [null, "Pending", "Running"] },
      });
      const uids = new Set(unfinished.map(({ metadata }) => metadata.uid));
      for (const uid of await folders.list()) {
        if (!uids.has(uid)) await folders.remove(uid).catch(services.onError);
      }
      return unfinished.map(refOf);
    },
    close: stopWatching,
  };
}

/** The status of a promotion that begins, or goes on. */
function runningStatus(
  { status, metadata }: Promotion,
  stage: Stage,
  freight: Freight | undefined,
  companions: ReadonlyMap<string, Freight | undefined>,
  now: Date,
): PromotionStatus {
  const running: PromotionStatus = { startedAt: now.toISOString(), ...status, phase: "Running" };
  const refresh = metadata.annotations?.[keys.refresh];
  if (refresh !== undefined) running.lastHandledRefresh = refresh;
  if (freight !== undefined) {
    running.freight = toReference(freight);
    const others = [...companions.values()].filter((one) => one !== undefined);
    running.freightCollection = targetCollection(stage, running.freight, others.map(toReference));
  }
  return running;
}

/** A promotion that cannot go on at all: the step it was in goes down with it. */
function failRun(run: OpenRun, why: string, now: Date): void {
  const message = run.mask(why);
  const finishedAt = now.toISOString();
  for (const record of run.status.stepExecutionMetadata ?? []) {
    if (record.startedAt === undefined || record.finishedAt !== undefined) continue;
    Object.assign(record, { status: "Errored", message, finishedAt });
  }
  Object.assign(run.status, { phase: "Errored", message, finishedAt });
}
