import { afterEach, describe, expect, it } from "vitest";
import { createKeyedLock } from "#core/keyed-lock.ts";
import { createGates } from "#core/promotion/gates.ts";
import { createPromotionReconciler } from "#core/promotion/reconciler.ts";
import { createWorkFolders } from "#core/promotion/work-folders.ts";
import type { Promotion, PromotionStep } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import { createScheduler, type Scheduler } from "#core/scheduler/scheduler.ts";
import { createStageReconciler } from "#core/stages/reconciler.ts";
import { succeeded } from "#core/step.ts";
import type { Store } from "#core/store/store.ts";
import { createInProcessRunner } from "#runners/in-process.ts";
import { builtinStepKinds, combineStepKinds } from "#runners/step-kinds.ts";
import gate from "#steps/gate.ts";
import { openTestStore, type TestKind, testFolder, testKinds, testServices } from "./support.ts";

const apiVersion = "kargo.akuity.io/v1alpha1";
const origin = { kind: "Warehouse", name: "main" };
const running: { scheduler: Scheduler; close(): void }[] = [];
afterEach(async () => {
  for (const { scheduler, close } of running.splice(0)) {
    await scheduler.stop(1);
    close();
  }
});

/** Stages and promotions as the daemon runs them, by the real clock. */
async function startDaemon(kinds: Record<string, TestKind>) {
  const now = () => new Date();
  const store = await openTestStore();
  const services = await testServices(store, {}, { now });
  const runner = createInProcessRunner([gate], {
    store,
    credentialsFor: () => ({ find: async () => undefined }),
    fetchWith: () => () => Promise.reject(new Error("no network")),
    lock: createKeyedLock(),
    cacheFolder: await testFolder(),
    now,
  });
  const promotions = createPromotionReconciler({
    ...services,
    kinds: combineStepKinds(testKinds(kinds), builtinStepKinds([gate], runner)),
    folders: createWorkFolders(await testFolder()),
    isFreightAvailable: () => true,
    uiBaseUrl: "",
    onError: (error) => {
      throw error;
    },
  });
  const scheduler = createScheduler({ store });
  scheduler.register(promotions);
  scheduler.register(
    createStageReconciler({
      store,
      now,
      expressions: services.expressions,
      functionsFor: () => ({}),
      fetchWith: () => () => Promise.reject(new Error("no network")),
    } as unknown as Parameters<typeof createStageReconciler>[0]),
  );
  await scheduler.start();
  running.push({ scheduler, close: promotions.close });
  return { store, scheduler, gates: createGates(store, now) };
}

async function create(store: Store, ...resources: object[]): Promise<void> {
  await store.write(resources.map((one) => ({ op: "create", resource: { apiVersion, ...one } as Resource })));
}

const warehouse = {
  kind: "Warehouse",
  metadata: { name: "main", namespace: "shop" },
  spec: { subscriptions: [] },
};
const freight = { kind: "Freight", metadata: { name: "abc", namespace: "shop" }, origin };
const stage = (name: string) => ({
  kind: "Stage",
  metadata: { name, namespace: "shop" },
  spec: {
    requestedFreight: [{ origin, sources: { direct: true } }],
    promotionTemplate: { spec: { steps: [{ uses: "good" }] } },
  },
});
const promotion = (stageName: string, number: number, steps: PromotionStep[]) => ({
  kind: "Promotion",
  metadata: { name: `${stageName}.${number}.abc`, namespace: "shop" },
  spec: {
    stage: stageName,
    freight: "abc",
    steps: steps.map((step, i) => ({ as: `step-${i + 1}`, ...step })),
  },
});

async function phases(store: Store): Promise<(string | undefined)[]> {
  const all = (await store.list({ kind: "Promotion" })) as Promotion[];
  return all.map(({ status }) => status?.phase);
}

describe("promotions and their stages together", () => {
  it("run one at a time in each stage, in the order of their names, and in all stages at once", async () => {
    const under = new Map<string, number>();
    const order: Record<string, string[]> = {};
    let mostInAStage = 0;
    let mostInAll = 0;
    const { store } = await startDaemon({
      work: async ({ stage: name, promotion: promotionName }) => {
        under.set(name, (under.get(name) ?? 0) + 1);
        mostInAStage = Math.max(mostInAStage, under.get(name) as number);
        mostInAll = Math.max(
          mostInAll,
          [...under.values()].reduce((sum, n) => sum + n, 0),
        );
        order[name] = [...(order[name] ?? []), promotionName];
        await new Promise((resolve) => setTimeout(resolve, 20));
        under.set(name, (under.get(name) as number) - 1);
        return succeeded();
      },
    });
    const stages = ["dev", "qa", "prod"];
    await create(store, warehouse, freight, ...stages.map(stage));
    for (const number of [1, 2, 3, 4]) {
      await create(store, ...stages.map((name) => promotion(name, number, [{ uses: "work" }])));
    }
    await expect.poll(() => phases(store), { timeout: 20_000 }).toEqual(Array(12).fill("Succeeded"));
    expect(mostInAStage).toBe(1);
    expect(mostInAll).toBeGreaterThan(1);
    for (const name of stages) expect(order[name]).toEqual([1, 2, 3, 4].map((n) => `${name}.${n}.abc`));
  });

  it("go on by themselves after an aborted one, be it running or queued", async () => {
    const { store } = await startDaemon({
      hangs: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
      good: () => succeeded(),
    });
    await create(store, warehouse, freight, stage("dev"));
    await create(store, promotion("dev", 1, [{ uses: "hangs" }]), promotion("dev", 2, [{ uses: "good" }]));
    await create(store, promotion("dev", 3, [{ uses: "good" }]));
    await expect.poll(() => phases(store)).toEqual(["Running", "Pending", "Pending"]);
    const abort = async (number: number) => {
      const ref = { kind: "Promotion", project: "shop", name: `dev.${number}.abc` };
      const resource = (await store.get(ref)) as Resource;
      resource.metadata.annotations = { "kargo.akuity.io/abort": "terminate" };
      await store.write([{ op: "update", resource }]);
    };
    await abort(2);
    await expect.poll(() => phases(store)).toEqual(["Running", "Aborted", "Pending"]);
    await abort(1);
    await expect.poll(() => phases(store), { timeout: 20_000 }).toEqual(["Aborted", "Aborted", "Succeeded"]);
  });

  it("are not run twice by a refresh in the middle of a step", async () => {
    const calls: string[] = [];
    const { store, scheduler } = await startDaemon({
      refreshed: async ({ alias }) => {
        calls.push(alias);
        const ref = { kind: "Promotion", project: "shop", name: "dev.1.abc" };
        const resource = (await store.get(ref)) as Resource;
        resource.metadata.annotations = { "kargo.akuity.io/refresh": alias };
        await store.write([{ op: "update", resource }]);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return succeeded();
      },
    });
    await create(store, warehouse, freight, stage("dev"));
    await create(store, promotion("dev", 1, [{ uses: "refreshed" }, { uses: "refreshed" }]));
    await expect.poll(() => phases(store)).toEqual(["Succeeded"]);
    await scheduler.idle();
    expect(calls).toEqual(["step-1", "step-2"]);
  });

  it("wait at a gate without being looked at, and go on when it is released", async () => {
    const { store, gates, scheduler } = await startDaemon({ good: () => succeeded() });
    await create(store, warehouse, freight, stage("dev"));
    await create(
      store,
      promotion("dev", 1, [{ uses: "gate", as: "ask", config: { message: "Go?" } }, { uses: "good" }]),
    );
    await expect.poll(() => gates.list()).toHaveLength(1);
    await scheduler.idle();
    expect(await store.due(Infinity)).toEqual([]);
    await gates.decide({
      project: "shop",
      promotion: "dev.1.abc",
      step: "ask",
      decision: "released",
      by: "admin",
    });
    await expect.poll(() => phases(store)).toEqual(["Succeeded"]);
    const [done] = (await store.list({ kind: "Promotion" })) as Promotion[];
    expect(done?.status?.state).toMatchObject({ ask: { decision: "released", by: "admin" } });
  });
});
