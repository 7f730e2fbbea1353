import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import type { ResourceRef } from "#core/resources/resource.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import {
  createScheduler,
  type ReconcileRun,
  type Scheduler,
  type SchedulerOptions,
} from "#core/scheduler/scheduler.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";
import { createFakeClock, type FakeClock, settle } from "#test/core/scheduler/fake-clock.ts";

const stage = (name: string, project = "shop"): ResourceRef => ({ kind: "Stage", project, name });

let clock: FakeClock;
let store: Store;
let runs: ReconcileRun[];
let schedulers: Scheduler[];

beforeEach(async () => {
  clock = createFakeClock();
  store = await openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)) });
  runs = [];
  schedulers = [];
});

afterEach(async () => {
  for (const scheduler of schedulers) {
    const stopped = scheduler.stop(0);
    await clock.advance(60);
    await stopped;
  }
  await store.close();
});

function schedulerOf(reconciler: Partial<Reconciler>, options: Partial<SchedulerOptions> = {}): Scheduler {
  const onRun = (run: ReconcileRun) => void runs.push(run);
  const scheduler = createScheduler({ store, clock, random: () => 1, onRun, ...options });
  scheduler.register({ kind: "Stage", concurrency: 1, reconcile: async () => undefined, ...reconciler });
  schedulers.push(scheduler);
  return scheduler;
}

/** A reconcile that ends only when it is told to, and what it was called with. */
function heldReconcile() {
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const reconcile = ({ name }: ResourceRef) => {
    started.push(name);
    return new Promise<undefined>((resolve) => ends.push(() => resolve(undefined)));
  };
  const endOne = async () => {
    ends.shift()?.();
    await settle();
  };
  return { started, reconcile, endOne };
}

describe("queueing", () => {
  it("reconciles a key once, however often it was enqueued before its turn", async () => {
    const { started, reconcile, endOne } = heldReconcile();
    const scheduler = schedulerOf({ reconcile });
    await scheduler.start();
    for (const name of ["a", "b", "b", "b"]) scheduler.enqueue(stage(name));
    await endOne();
    await endOne();
    expect(started).toEqual(["a", "b"]);
  });

  it("reconciles a key once more when there is news for it while it is reconciled", async () => {
    const { started, reconcile, endOne } = heldReconcile();
    const scheduler = schedulerOf({ reconcile, concurrency: 5 });
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    scheduler.enqueue(stage("a"));
    scheduler.enqueue(stage("a"));
    expect(started).toEqual(["a"]);
    await endOne();
    expect(started).toEqual(["a", "a"]);
    await endOne();
    await scheduler.idle();
    expect(started).toEqual(["a", "a"]);
  });

  it("runs no more keys of a kind at once than its concurrency, and other kinds beside them", async () => {
    const { started, reconcile, endOne } = heldReconcile();
    const scheduler = schedulerOf({ reconcile, concurrency: 2 });
    scheduler.register({ kind: "Warehouse", concurrency: 1, reconcile });
    await scheduler.start();
    for (const name of ["a", "b", "c"]) scheduler.enqueue(stage(name));
    scheduler.enqueue({ kind: "Warehouse", project: "shop", name: "w" });
    expect(started).toEqual(["a", "b", "w"]);
    expect(scheduler.load()).toEqual([
      { kind: "Stage", queued: 1, running: 2 },
      { kind: "Warehouse", queued: 0, running: 1 },
    ]);
    await endOne();
    expect(started).toEqual(["a", "b", "w", "c"]);
  });

  it("lets projects take turns, each in its own order", async () => {
    const started: string[] = [];
    const reconcile = async ({ project, name }: ResourceRef) =>
      void started.push(`${project}/${name}`) as undefined;
    const scheduler = schedulerOf({ reconcile });
    for (const name of ["1", "2", "3"]) scheduler.enqueue(stage(name, "big"));
    scheduler.enqueue(stage("1", "small"));
    await scheduler.start();
    await scheduler.idle();
    expect(started).toEqual(["big/1", "small/1", "big/2", "big/3"]);
  });

  it("passes over kinds that nobody reconciles", async () => {
    const scheduler = schedulerOf({});
    await scheduler.start();
    scheduler.enqueue({ kind: "ConfigMap", name: "x" });
    await scheduler.idle();
    expect(runs).toEqual([]);
  });
});

describe("what wakes a key", () => {
  it("is any change that its reconciler asks for", async () => {
    const started: string[] = [];
    const scheduler = schedulerOf({
      reconcile: async ({ name }) => void started.push(name) as undefined,
      enqueueFor: ({ resource }) => (resource.kind === "Freight" ? [stage("test"), stage("prod")] : []),
    });
    await scheduler.start();
    for (const kind of ["Freight", "Warehouse"]) {
      await store.write([
        { op: "create", resource: { apiVersion: "v1", kind, metadata: { name: "x", namespace: "shop" } } },
      ]);
    }
    await scheduler.idle();
    expect(started).toEqual(["test", "prod"]);
  });

  it("is the start, for the keys that its reconciler names", async () => {
    const scheduler = schedulerOf({ initial: async () => [stage("a"), stage("b")] });
    await scheduler.start();
    await scheduler.idle();
    expect(runs.map(({ ref }) => ref.name)).toEqual(["a", "b"]);
  });

  it("goes on when a reconciler stumbles over a change", async () => {
    const errors: unknown[] = [];
    const stumbling = () => {
      throw new Error("odd resource");
    };
    const scheduler = schedulerOf({ enqueueFor: stumbling }, { onError: (error) => errors.push(error) });
    scheduler.register({
      kind: "Freight",
      concurrency: 1,
      reconcile: async () => undefined,
      enqueueFor: () => [{ kind: "Freight", project: "shop", name: "f" }],
    });
    await scheduler.start();
    await store.write([
      { op: "create", resource: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "x" } } },
    ]);
    await scheduler.idle();
    expect(runs).toHaveLength(1);
    expect(errors).toHaveLength(1);
  });
});

describe("due times", () => {
  it("bring a key back when it asked for it, and no earlier", async () => {
    const scheduler = schedulerOf({ reconcile: async () => ({ requeueAfterSeconds: 60 }) });
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    await clock.advance(59.9);
    expect(runs).toHaveLength(1);
    await clock.advance(0.1);
    expect(runs).toHaveLength(2);
  });

  it("are one timer for all keys, and none when no key is due", async () => {
    const scheduler = schedulerOf({
      concurrency: 100,
      reconcile: async ({ name }) =>
        name === "idle" ? undefined : { requeueAfterSeconds: Number(name) + 10 },
    });
    await scheduler.start();
    scheduler.enqueue(stage("idle"));
    await settle();
    expect(clock.timers).toBe(0);
    for (let i = 0; i < 50; i++) scheduler.enqueue(stage(String(i)));
    await settle();
    expect(clock.timers).toBe(1);
  });

  it("come in their order, far ones too", async () => {
    const seconds: Record<string, number> = { a: 3000, b: 20, c: 900_000, d: 500 };
    const seen = new Set<string>();
    const order: string[] = [];
    const scheduler = schedulerOf({
      concurrency: 10,
      async reconcile({ name }) {
        if (seen.has(name)) return void order.push(name) as undefined;
        seen.add(name);
        return { requeueAfterSeconds: seconds[name] };
      },
    });
    await scheduler.start();
    for (const name of Object.keys(seconds)) scheduler.enqueue(stage(name));
    await clock.advance(1_000_000);
    expect(order).toEqual(["b", "d", "a", "c"]);
  });

  it("are replaced by what a later run asks for", async () => {
    const asks = [{ requeueAfterSeconds: 10 }, { requeueAfterSeconds: 100 }, undefined];
    const scheduler = schedulerOf({ reconcile: async () => asks.shift() });
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    await clock.advance(1);
    scheduler.enqueue(stage("a"));
    await clock.advance(50);
    expect(runs).toHaveLength(2);
    await clock.advance(50);
    expect(runs).toHaveLength(3);
    expect(await store.due(Number.POSITIVE_INFINITY)).toEqual([]);
  });

  it("outlive the daemon", async () => {
    const first = schedulerOf({ reconcile: async () => ({ requeueAfterSeconds: 60 }) });
    await first.start();
    first.enqueue(stage("a"));
    await clock.advance(1);
    await first.stop();
    await clock.advance(30);
    runs = [];
    const second = schedulerOf({});
    await second.start();
    await clock.advance(28);
    expect(runs).toHaveLength(0);
    await clock.advance(1);
    expect(runs).toHaveLength(1);
  });

  it("that passed while no daemon ran are due at once", async () => {
    await store.write([{ op: "due", key: stage("a"), at: clock.now() - 1000 }]);
    const scheduler = schedulerOf({});
    await scheduler.start();
    await clock.advance(0);
    expect(runs.map(({ ref }) => ref)).toEqual([stage("a")]);
  });

  it("are forgotten with the resource", async () => {
    const scheduler = schedulerOf({ reconcile: async () => ({ requeueAfterSeconds: 10 }) });
    await scheduler.start();
    await store.write([
      {
        op: "create",
        resource: { apiVersion: "v1", kind: "Stage", metadata: { name: "a", namespace: "shop" } },
      },
    ]);
    scheduler.enqueue(stage("a"));
    await settle();
    await store.write([{ op: "delete", ref: stage("a") }]);
    await clock.advance(20);
    expect(runs).toHaveLength(1);
  });

  it("of many keys at once are one write", async () => {
    let writes = 0;
    const counting: Store = {
      ...store,
      write: (batch) => {
        writes += 1;
        return store.write(batch);
      },
    };
    const scheduler = createScheduler({ store: counting, clock });
    schedulers.push(scheduler);
    scheduler.register({
      kind: "Stage",
      concurrency: 100,
      reconcile: async () => ({ requeueAfterSeconds: 10 }),
    });
    await scheduler.start();
    for (let i = 0; i < 50; i++) scheduler.enqueue(stage(String(i)));
    await settle();
    expect(await store.due(Number.POSITIVE_INFINITY)).toHaveLength(50);
    expect(writes).toBe(1);
  });

  it("hold, and are written later, when the store cannot take them now", async () => {
    const errors: unknown[] = [];
    let full = true;
    const filling: Store = {
      ...store,
      write: async (batch) => {
        if (full) throw new Error("the disk is full");
        return store.write(batch);
      },
    };
    const asks = [{ requeueAfterSeconds: 10 }, { requeueAfterSeconds: 10 }];
    const scheduler = schedulerOf(
      { reconcile: async () => asks.shift() },
      { store: filling, onError: (error) => errors.push(error) },
    );
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    await settle();
    expect(errors).toHaveLength(1);
    full = false;
    await clock.advance(11);
    expect(runs).toHaveLength(2);
    expect(await store.due(Number.POSITIVE_INFINITY)).toHaveLength(1);
  });
});

describe("failures", () => {
  it("are tried again after pauses that double up to a longest one, until one run succeeds", async () => {
    let failing = 4;
    const scheduler = schedulerOf(
      {
        async reconcile() {
          if (failing-- > 0) throw new Error("no answer");
          return undefined;
        },
      },
      { firstRetrySeconds: 1, longestRetrySeconds: 3 },
    );
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    await clock.advance(100);
    expect(runs.map(({ failure }) => failure?.retryInSeconds)).toEqual([1, 2, 3, 3, undefined]);
    failing = 1;
    scheduler.enqueue(stage("a"));
    await settle();
    expect(runs.at(-1)?.failure?.retryInSeconds).toBe(1);
  });

  it("spread their pauses, so that what failed together is not tried together", async () => {
    const randoms = [0, 0.5, 1];
    const reconcile = async () => {
      throw new Error("no answer");
    };
    const scheduler = schedulerOf(
      { concurrency: 3, reconcile },
      { firstRetrySeconds: 8, random: () => randoms.shift() ?? 0 },
    );
    await scheduler.start();
    for (const name of ["a", "b", "c"]) scheduler.enqueue(stage(name));
    await settle();
    expect(runs.map(({ failure }) => failure?.retryInSeconds)).toEqual([4, 6, 8]);
  });

  it("of one key keep no other waiting", async () => {
    const scheduler = schedulerOf({
      async reconcile({ name }) {
        if (name === "bad") throw new Error("always");
        return undefined;
      },
    });
    await scheduler.start();
    for (const name of ["bad", "good"]) scheduler.enqueue(stage(name));
    await scheduler.idle();
    expect(runs.map(({ ref, failure }) => [ref.name, failure === undefined])).toEqual([
      ["bad", false],
      ["good", true],
    ]);
  });
});

describe("stopping", () => {
  it("takes up nothing new and waits for what is running", async () => {
    const { started, reconcile, endOne } = heldReconcile();
    const scheduler = schedulerOf({ reconcile });
    await scheduler.start();
    for (const name of ["a", "b"]) scheduler.enqueue(stage(name));
    let stopped = false;
    const stopping = scheduler.stop(10).then(() => {
      stopped = true;
    });
    scheduler.enqueue(stage("c"));
    await settle();
    expect(scheduler.stopping()).toBe(true);
    expect(stopped).toBe(false);
    await endOne();
    await stopping;
    expect(started).toEqual(["a"]);
  });

  it("aborts what is running after the time of grace, and leaves its due time for the next daemon", async () => {
    await store.write([{ op: "due", key: stage("a"), at: clock.now() - 1 }]);
    const scheduler = schedulerOf({
      reconcile: (_, signal) =>
        new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    await scheduler.start();
    await clock.advance(0);
    const stopping = scheduler.stop(10);
    await clock.advance(9);
    expect(runs).toEqual([]);
    await clock.advance(1);
    await stopping;
    expect(runs).toMatchObject([{ ref: stage("a") }]);
    expect(runs[0]).not.toHaveProperty("failure");
    expect(await store.due(Number.POSITIVE_INFINITY)).toHaveLength(1);
  });

  it("does not wait for ever for what ignores the abort", async () => {
    const scheduler = schedulerOf({ reconcile: () => new Promise(() => undefined) });
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    const stopping = scheduler.stop(1);
    await clock.advance(10);
    await expect(stopping).resolves.toBeUndefined();
  });
});

describe("health", () => {
  it("is good while it runs, idle or busy, and only then", async () => {
    const scheduler = schedulerOf({ reconcile: async () => ({ requeueAfterSeconds: 1000 }) });
    expect(scheduler.healthy()).toBe(false);
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    await clock.advance(500);
    expect(scheduler.healthy()).toBe(true);
    await scheduler.stop();
    expect(scheduler.healthy()).toBe(false);
  });

  it("is lost while a run takes longer than it may", async () => {
    const { reconcile, endOne } = heldReconcile();
    const scheduler = schedulerOf({ reconcile, maxSeconds: 60 });
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    await clock.advance(60);
    expect(scheduler.healthy()).toBe(true);
    await clock.advance(1);
    expect(scheduler.healthy()).toBe(false);
    await endOne();
    expect(scheduler.healthy()).toBe(true);
  });

  it("is lost when what is due is not taken up", async () => {
    const stuck = { now: clock.now, setTimer: () => () => undefined };
    const scheduler = schedulerOf({ reconcile: async () => ({ requeueAfterSeconds: 10 }) }, { clock: stuck });
    await scheduler.start();
    scheduler.enqueue(stage("a"));
    await clock.advance(39);
    expect(scheduler.healthy()).toBe(true);
    await clock.advance(5);
    expect(scheduler.healthy()).toBe(false);
  });
});
