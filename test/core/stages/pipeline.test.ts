import { afterEach, describe, expect, it } from "vitest";
import { createPromotionReconciler } from "#core/promotion/reconciler.ts";
import { createWorkFolders } from "#core/promotion/work-folders.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { FreightSources, Stage } from "#core/resources/stage.ts";
import type { Invocation } from "#core/runner.ts";
import { createScheduler } from "#core/scheduler/scheduler.ts";
import { isFreightAvailable } from "#core/stages/availability.ts";
import { keys } from "#core/stages/keys.ts";
import { createStageOperations } from "#core/stages/operations.ts";
import { createStageReconciler } from "#core/stages/reconciler.ts";
import { succeeded, waiting } from "#core/step.ts";
import { openTestStore, type TestKind, testFolder, testServices } from "#test/core/promotion/support.ts";
import { createFakeClock, settle } from "#test/core/scheduler/fake-clock.ts";
import {
  autoPromote,
  direct,
  freight,
  passage,
  request,
  stage,
  verifiedIn,
  warehouse,
} from "#test/core/stages/stage-world.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const steps = (uses: string) => ({ promotionTemplate: { spec: { steps: [{ uses }] } } });

/** Stages and the engine at work together on one store. */
async function open(resources: readonly (Resource | Stage | Freight)[], kinds: Record<string, TestKind>) {
  const clock = createFakeClock();
  const now = () => new Date(clock.now());
  const store = await openTestStore(":memory:", now);
  const services = await testServices(store, kinds, { now });
  const scheduler = createScheduler({ store, clock });
  const promotions = createPromotionReconciler({
    ...services,
    folders: createWorkFolders(await testFolder()),
    isFreightAvailable: (holder, piece) => isFreightAvailable(holder, piece, now()),
    uiBaseUrl: "",
    onError: (error) => {
      throw error;
    },
  });
  scheduler.register(promotions);
  scheduler.register(createStageReconciler({ ...services, functionsFor: () => ({}) }));
  cleanUps.push(async () => {
    promotions.close();
    await scheduler.stop(0);
    await store.close();
  });
  await store.write(
    [warehouse(), ...resources].map((resource) => ({ op: "create", resource: resource as Resource })),
  );
  await scheduler.start();

  async function rest(seconds = 0): Promise<void> {
    await settle();
    await scheduler.idle();
    await clock.advance(seconds);
    await scheduler.idle();
  }
  await rest();
  const listPromotions = async () =>
    (await store.list({ kind: "Promotion", project: "shop" })) as Promotion[];
  return {
    store,
    rest,
    operations: createStageOperations({ store, now }),
    add: async (resource: Freight) => {
      await store.write([{ op: "create", resource: resource as Resource }]);
      await rest();
    },
    summary: async (name: string) =>
      ((await store.get({ kind: "Stage", project: "shop", name })) as Stage).status?.freightSummary,
    outcomes: async () =>
      (await listPromotions()).map(({ spec, status }) => `${spec.stage} ${spec.freight} ${status?.phase}`),
    listPromotions,
  };
}

describe("a pipeline", () => {
  const pipeline = [
    autoPromote(),
    stage("test", [direct]),
    stage("qa", [verifiedIn("test")]),
    passage("gate", [verifiedIn("qa")]),
    stage("prod", [verifiedIn("gate")]),
  ];
  const kinds = { "compose-output": async () => succeeded({}) };

  it("takes freight from its Warehouse to the last stage, and the next after it", async () => {
    const { outcomes, add, summary } = await open(
      [...pipeline, freight("f1", { discoveredAt: "2030-01-01T00:00:00Z" })],
      kinds,
    );
    expect(await outcomes()).toEqual(["test f1 Succeeded", "qa f1 Succeeded", "prod f1 Succeeded"]);
    await add(freight("f2", { discoveredAt: "2030-01-02T00:00:00Z" }));
    expect(await summary("prod")).toBe("f2");
    expect(await outcomes()).toHaveLength(6);
  });

  it("runs one promotion of a stage at a time, in order, and any number of stages at once", async () => {
    const names = Array.from({ length: 10 }, (_, index) => `stage-${index}`);
    const running = new Map<string, number>();
    let mostOfOne = 0;
    let mostOfAll = 0;
    const order: string[] = [];
    const count = async ({ stage: name, promotion }: { stage: string; promotion: string }) => {
      running.set(name, (running.get(name) ?? 0) + 1);
      mostOfOne = Math.max(mostOfOne, ...running.values());
      mostOfAll = Math.max(
        mostOfAll,
        [...running.values()].reduce((sum, one) => sum + one, 0),
      );
      order.push(promotion);
      for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
      running.set(name, (running.get(name) ?? 0) - 1);
      return succeeded({});
    };
    const { operations, rest, outcomes } = await open(
      [
        ...names.map((name) => stage(name, [direct], steps("count"))),
        freight("f1"),
        freight("f2"),
        freight("f3"),
      ],
      { count },
    );
    const created: string[] = [];
    for (const piece of ["f1", "f2", "f3"]) {
      for (const name of names) {
        const { metadata } = await operations.promote({
          project: "shop",
          stage: name,
          freight: piece,
          actor: "admin",
        });
        created.push(metadata.name);
      }
    }
    await rest(1);
    expect((await outcomes()).filter((outcome) => outcome.endsWith("Succeeded"))).toHaveLength(30);
    expect(mostOfOne).toBe(1);
    expect(mostOfAll).toBeGreaterThan(1);
    for (const name of names) {
      const own = (promotions: string[]) =>
        promotions.filter((promotion) => promotion.startsWith(`${name}.`));
      expect(own(order)).toEqual(own(created));
    }
  });

  it.each([
    { which: "running or waiting", index: 0 },
    { which: "queued", index: 1 },
  ])("goes on with the other promotions when one is aborted that is $which", async ({ index }) => {
    let isOpen = false;
    const hold = async () => (isOpen ? succeeded({}) : waiting("for the word", 10));
    const { operations, rest, outcomes, summary, listPromotions } = await open(
      [stage("test", [direct], steps("hold")), freight("f1"), freight("f2"), freight("f3")],
      { hold },
    );
    for (const piece of ["f1", "f2", "f3"]) {
      await operations.promote({ project: "shop", stage: "test", freight: piece, actor: "admin" });
    }
    await rest();
    const promotion = (await listPromotions())[index]?.metadata.name ?? "";
    await operations.abortPromotion({ project: "shop", promotion, actor: "admin" });
    await rest();
    isOpen = true;
    await rest(60);
    const expected = ["Succeeded", "Succeeded", "Succeeded"];
    expected[index] = "Aborted";
    expect(await outcomes()).toEqual(expected.map((phase, at) => `test f${at + 1} ${phase}`));
    expect(await summary("test")).toBe("f3");
  });

  it("brings all that a stage holds to the next as one, and nothing of it when a part has gone", async () => {
    const seen: string[][] = [];
    const look = async ({ freight: pieces }: Invocation) => {
      seen.push(pieces.map(({ name }) => name));
      return succeeded({});
    };
    const both = (sources: FreightSources) => [request(sources), request(sources, "config")];
    const { operations, rest, outcomes, store } = await open(
      [
        warehouse("config"),
        stage("test", both({ direct: true }), steps("look")),
        stage("prod", both({ stages: ["test"] }), steps("look")),
        freight("a1"),
        freight("c1", { warehouse: "config" }),
      ],
      { look },
    );
    for (const piece of ["a1", "c1"]) {
      await operations.promote({ project: "shop", stage: "test", freight: piece, actor: "admin" });
      await rest();
    }
    const promoteAll = { project: "shop", stage: "prod", fromStage: "test", actor: "admin" };
    await operations.promote(promoteAll);
    await rest();
    expect(seen.at(-1)).toEqual(["a1", "c1"]);
    await operations.promote(promoteAll);
    await store.write([{ op: "delete", ref: { kind: "Freight", project: "shop", name: "c1" } }]);
    await rest();
    expect((await outcomes()).slice(-2)).toEqual(["prod a1 Succeeded", "prod a1 Errored"]);
    expect(seen).toHaveLength(3);
  });

  it("lets a newer promotion take the place of those that wait, where its stage says so", async () => {
    let isOpen = false;
    const hold = async () => (isOpen ? succeeded({}) : waiting("for the word", 10));
    const both = [direct, request({ direct: true }, "config")];
    const superseding = stage("test", both, steps("hold"));
    superseding.metadata.annotations = { [keys.queue]: "supersede" };
    const pieces = ["f1", "f2", "f3", "f4"].map((name) => freight(name));
    const { operations, rest, outcomes, summary } = await open(
      [warehouse("config"), superseding, freight("c1", { warehouse: "config" }), ...pieces],
      { hold },
    );
    for (const piece of ["f1", "f2", "c1", "f3", "f4"]) {
      await operations.promote({ project: "shop", stage: "test", freight: piece, actor: "admin" });
      await rest();
    }
    isOpen = true;
    await rest(60);
    expect(await outcomes()).toEqual([
      "test f1 Succeeded",
      "test f2 Aborted",
      "test c1 Succeeded",
      "test f3 Aborted",
      "test f4 Succeeded",
    ]);
    expect(await summary("test")).toBe("2/2 Fulfilled");
  });
});
