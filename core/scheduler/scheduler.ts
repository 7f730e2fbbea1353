import { DaemonStopping } from "#core/daemon-stopping.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import { type Clock, systemClock } from "#core/scheduler/clock.ts";
import { createDueTimes } from "#core/scheduler/due-times.ts";
import { createDueWriter } from "#core/scheduler/due-writer.ts";
import { createFairQueue, type FairQueue } from "#core/scheduler/fair-queue.ts";
import { keyName } from "#core/scheduler/key-name.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import type { ResourceChange, Store } from "#core/store/store.ts";

/** One run of a reconciler, after it ended. */
export interface ReconcileRun {
  ref: ResourceRef;
  milliseconds: number;
  /** What it threw, and when it is tried again. */
  failure?: { error: unknown; retryInSeconds: number };
}

export interface SchedulerOptions {
  store: Store;
  clock?: Clock;
  /** Between 0 and 1; spreads the pauses after failures. */
  random?: () => number;
  /** Told of every run, for logs and metrics. */
  onRun?: (run: ReconcileRun) => void;
  /** Told when due times could not be written (they are kept in memory and written later), or on a bug of ours. */
  onError?: (error: unknown) => void;
  /** The pause after a first failure; each further one doubles it. 0.1 by default. */
  firstRetrySeconds?: number;
  /** 300 by default. */
  longestRetrySeconds?: number;
  /** The daemon is unhealthy when work has been waiting for this long without any being taken up. 30 by default. */
  stallSeconds?: number;
}

/** Sees to it that every key is reconciled when there is news for it, when it is due, and after a failure. */
export interface Scheduler {
  /** Before `start`. */
  register(reconciler: Reconciler): void;
  /**
   * Reconciles the key as soon as its turn comes. A key that waits already is not queued again; one that
   * is being reconciled is so once more afterwards. Kinds that nobody reconciles are passed over.
   */
  enqueue(ref: ResourceRef): void;
  start(): Promise<void>;
  /**
   * Takes up nothing new, gives what is running `graceSeconds` (10 by default) to end, then aborts it. What
   * was waiting is found again at the next start.
   */
  stop(graceSeconds?: number): Promise<void>;
  /** True from the call of `stop` on. Work of several parts may want to end after the present one. */
  stopping(): boolean;
  /** False when the scheduler is not running, is stuck, or has a run that takes longer than it may. */
  healthy(): boolean;
  /** Resolves when no key waits and none is being reconciled. */
  idle(): Promise<void>;
  load(): { kind: string; queued: number; running: number }[];
}

interface Lane {
  reconciler: Reconciler;
  queue: FairQueue;
  /** When each key's run began. */
  running: Map<string, number>;
  /** Keys that had news while they were being reconciled. */
  again: Set<string>;
}

/** setTimeout's own limit is 24 days; this also notices within bounds that the computer's clock was set. */
const longestTimer = 600_000;
const abortSeconds = 5;

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { store, clock = systemClock, random = Math.random } = options;
  const { firstRetrySeconds = 0.1, longestRetrySeconds = 300, stallSeconds = 30 } = options;
  const lanes = new Map<string, Lane>();
  const dueTimes = createDueTimes();
  const onError = options.onError ?? (() => undefined);
  const dueWriter = createDueWriter(store, onError);
  const failures = new Map<string, number>();
  const abort = new AbortController();
  const waitingForIdle: (() => void)[] = [];
  let state: "new" | "running" | "stopping" | "stopped" = "new";
  let endWatch: (() => void) | undefined;
  let cancelTimer: (() => void) | undefined;
  let timerAt: number | undefined;
  let lastTurn = clock.now();

  function enqueue(ref: ResourceRef): void {
    const lane = lanes.get(ref.kind);
    if (lane === undefined || state === "stopping" || state === "stopped") return;
    const name = keyName(ref);
    if (lane.running.has(name)) lane.again.add(name);
    else lane.queue.add(ref);
    if (state === "running") takeUp(lane);
  }

  function takeUp(lane: Lane): void {
    while (state === "running" && lane.running.size < lane.reconciler.concurrency) {
      const ref = lane.queue.take();
      if (ref === undefined) return;
      lastTurn = clock.now();
      void run(lane, ref);
    }
  }

  async function run(lane: Lane, ref: ResourceRef): Promise<void> {
    const name = keyName(ref);
    const began = clock.now();
    lane.running.set(name, began);
    // News and the due time that led here are answered by this run; what comes from now on by the next one.
    dueTimes.set(ref, undefined);
    let failure: ReconcileRun["failure"];
    let requeueAfterSeconds: number | undefined;
    try {
      ({ requeueAfterSeconds } = (await lane.reconciler.reconcile(ref, abort.signal)) ?? {});
      failures.delete(name);
    } catch (error) {
      if (!abort.signal.aborted) {
        requeueAfterSeconds = retryPause(name);
        failure = { error, retryInSeconds: requeueAfterSeconds };
      }
    }
    lane.running.delete(name);
    lastTurn = clock.now();
    const again = lane.again.delete(name) || requeueAfterSeconds === 0;
    // After an abort the stored due time stays, for the daemon that comes next.
    if (!abort.signal.aborted) setDue(ref, requeueAfterSeconds);
    options.onRun?.({ ref, milliseconds: lastTurn - began, ...(failure ? { failure } : {}) });
    if (again) enqueue(ref);
    takeUp(lane);
    tellIdle();
  }

  function retryPause(name: string): number {
    const count = failures.get(name) ?? 0;
    failures.set(name, count + 1);
    const pause = Math.min(longestRetrySeconds, firstRetrySeconds * 2 ** count);
    return pause * (0.5 + random() / 2);
  }

  function onChange(change: ResourceChange): void {
    if (change.type === "DELETED") {
      dueTimes.set(refOf(change.resource), undefined);
      dueWriter.forget(refOf(change.resource));
    }
    for (const { reconciler } of lanes.values()) {
      try {
        reconciler.enqueueFor?.(change).forEach(enqueue);
      } catch (error) {
        // One odd resource must not keep the others from being looked at.
        onError(error);
      }
    }
  }

  function setDue(ref: ResourceRef, seconds: number | undefined): void {
    const at =
      seconds === undefined || seconds <= 0 || !Number.isFinite(seconds)
        ? undefined
        : Math.ceil(clock.now() + seconds * 1000);
    dueTimes.set(ref, at);
    dueWriter.set(ref, at);
    setTimer();
  }

  function setTimer(): void {
    const next = dueTimes.next();
    if (state !== "running" || next === undefined || (timerAt !== undefined && timerAt <= next)) return;
    cancelTimer?.();
    const now = clock.now();
    timerAt = Math.min(Math.max(next, now), now + longestTimer);
    cancelTimer = clock.setTimer(onTimer, timerAt - now);
  }

  function onTimer(): void {
    timerAt = undefined;
    cancelTimer = undefined;
    lastTurn = clock.now();
    for (const ref of dueTimes.takeDue(lastTurn)) enqueue(ref);
    setTimer();
  }

  function isBusy(): boolean {
    return [...lanes.values()].some(
      ({ queue, running }) => running.size > 0 || (queue.size > 0 && state === "running"),
    );
  }

  function tellIdle(): void {
    if (isBusy()) return;
    for (const resolve of waitingForIdle.splice(0)) resolve();
  }

  function idle(): Promise<void> {
    return isBusy() ? new Promise((resolve) => waitingForIdle.push(resolve)) : Promise.resolve();
  }

  /** Settles when nothing is running any more, or after `seconds`. */
  async function idleWithin(seconds: number): Promise<void> {
    let cancel: (() => void) | undefined;
    const timeOut = new Promise<void>((resolve) => {
      cancel = clock.setTimer(resolve, seconds * 1000);
    });
    await Promise.race([idle(), timeOut]);
    cancel?.();
  }

  return {
    register(reconciler) {
      if (lanes.has(reconciler.kind))
        throw new Error(`Cannot register two reconcilers of ${reconciler.kind}`);
      lanes.set(reconciler.kind, {
        reconciler,
        queue: createFairQueue(),
        running: new Map(),
        again: new Set(),
      });
    },
    enqueue,
    async start() {
      if (state !== "new") throw new Error("Cannot start a scheduler twice");
      endWatch = store.watch(onChange);
      const stored = await store.due(Number.POSITIVE_INFINITY);
      dueWriter.assume(stored);
      for (const { key, at } of stored) if (lanes.has(key.kind)) dueTimes.set(key, at);
      for (const { reconciler } of lanes.values()) (await reconciler.initial?.())?.forEach(enqueue);
      state = "running";
      lastTurn = clock.now();
      for (const lane of lanes.values()) takeUp(lane);
      setTimer();
    },
    async stop(graceSeconds = 10) {
      if (state === "stopped" || state === "stopping") return;
      state = "stopping";
      endWatch?.();
      cancelTimer?.();
      await idleWithin(graceSeconds);
      if (isBusy()) {
        abort.abort(new DaemonStopping());
        await idleWithin(abortSeconds);
      }
      await dueWriter.flush();
      state = "stopped";
    },
    stopping: () => state === "stopping" || state === "stopped",
    healthy() {
      if (state !== "running") return false;
      const now = clock.now();
      const all = [...lanes.values()];
      const hasOverrun = all.some(({ reconciler, running }) =>
        [...running.values()].some((began) => now - began > (reconciler.maxSeconds ?? 900) * 1000),
      );
      const hasWork =
        all.some(
          ({ reconciler, queue, running }) => queue.size > 0 && running.size < reconciler.concurrency,
        ) || (dueTimes.next() ?? Number.POSITIVE_INFINITY) < now - stallSeconds * 1000;
      return !hasOverrun && !(hasWork && now - lastTurn > stallSeconds * 1000);
    },
    idle,
    load: () =>
      [...lanes.values()].map(({ reconciler, queue, running }) => ({
        kind: reconciler.kind,
        queued: queue.size,
        running: running.size,
      })),
  };
}
