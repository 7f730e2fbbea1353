import { afterEach, describe, expect, it } from "vitest";
import type { FreezeScope } from "#core/stages/freeze.ts";
import {
  autoPromote,
  createWorld,
  direct,
  freight,
  passage,
  stage,
  verifiedIn,
  type World,
} from "#test/core/stages/stage-world.ts";

let world: World;
afterEach(() => world?.close());

const open = async (...args: Parameters<typeof createWorld>) => {
  world = await createWorld(...args);
  return world;
};

const project = "shop";
const told = { reason: "incident 42", actor: "admin" };
const freeze = async (scope: FreezeScope, abort?: boolean) => {
  await world.freezes.freeze({ ...scope, ...told, abort });
  await world.rest();
};
const unfreeze = async (scope: FreezeScope) => {
  await world.freezes.unfreeze({ ...scope, actor: "admin" });
  await world.rest();
};

describe("a freeze", () => {
  it.each<{ of: string; scope: FreezeScope }>([
    { of: "the stage", scope: { project, stage: "test" } },
    { of: "the project", scope: { project } },
    { of: "everything", scope: {} },
  ])("of $of keeps promotions waiting, and lets them go on in order", async ({ scope }) => {
    const { promote, getStage, begin, promoted, condition, events, finish } = await open([
      stage("test", [direct]),
      freight("f1"),
      freight("f2"),
    ]);
    await freeze(scope);
    await promote("test", "f1");
    await promote("test", "f2");
    await expect(begin("test")).rejects.toThrow("No promotion has its turn");
    expect((await getStage("test")).status?.freeze).toMatchObject({ ...scope, ...told });
    expect(await condition("test", "Frozen")).toMatchObject({
      status: "True",
      message: expect.stringContaining("incident 42"),
    });

    await unfreeze(scope);
    expect(await condition("test", "Frozen")).toBeUndefined();
    await finish("test");
    await finish("test");
    expect(await promoted("test")).toEqual(["f1", "f2"]);
    expect((await events()).filter((event) => event.includes("rozen"))).toHaveLength(2);
  });

  it("is in the audit log, with who and why", async () => {
    const { store } = await open([stage("test", [direct])]);
    await freeze({ project, stage: "test" });
    await unfreeze({ project, stage: "test" });
    const regarding = { kind: "Stage", project, name: "test" };
    expect((await store.audit({ project })).toSorted((a, b) => (a.id ?? 0) - (b.id ?? 0))).toMatchObject([
      { action: "PromotionsFrozen", actor: "admin", message: told.reason, regarding },
      { action: "PromotionsUnfrozen", actor: "admin", regarding },
    ]);
  });

  it("lets what runs come to its end, but not what comes after it", async () => {
    const { promote, begin, finish, getStage } = await open([
      stage("test", [direct]),
      freight("f1"),
      freight("f2"),
    ]);
    await promote("test", "f1");
    await promote("test", "f2");
    await begin("test");
    await freeze({ project });
    await finish("test");
    const { status } = await getStage("test");
    expect(status?.freightSummary).toBe("f1");
    expect(status).not.toHaveProperty("currentPromotion");
  });

  it("takes the turn back from what has not begun", async () => {
    const { promote, getStage } = await open([stage("test", [direct]), freight("f1")]);
    await promote("test", "f1");
    await freeze({ project });
    expect((await getStage("test")).status).not.toHaveProperty("currentPromotion");
    expect((await getStage("test")).status?.conditions?.map(({ type }) => type)).not.toContain("Promoting");
  });

  it("asks those that run to end, when it is to", async () => {
    const { promote, begin, store } = await open([
      stage("test", [direct]),
      stage("prod", [direct]),
      freight("f1"),
    ]);
    for (const name of ["test", "prod"]) {
      await promote(name, "f1");
      await begin(name);
    }
    await freeze({ project, stage: "test" }, true);
    const aborted = (await store.list({ kind: "Promotion" })).filter(
      ({ metadata }) => metadata.annotations?.["kargo.akuity.io/abort"] !== undefined,
    );
    expect(aborted.map(({ spec }) => (spec as { stage: string }).stage)).toEqual(["test"]);
  });

  it("stops auto-promotion, which then takes the newest", async () => {
    const { add, promoted } = await open([autoPromote(), stage("test", [direct])]);
    await freeze({});
    await add(freight("f1", { discoveredAt: "2030-01-01T00:00:00Z" }));
    await add(freight("f2", { discoveredAt: "2030-01-02T00:00:00Z" }));
    expect(await promoted("test")).toEqual([]);
    await unfreeze({});
    expect(await promoted("test")).toEqual(["f2"]);
  });

  it("keeps a stage without steps from passing freight on", async () => {
    const { getFreight } = await open([
      stage("test", [direct]),
      passage("gate", [verifiedIn("test")]),
      freight("f1", { status: { verifiedIn: { test: {} } } }),
    ]);
    await freeze({ project, stage: "gate" });
    await world.add(freight("f2", { status: { verifiedIn: { test: {} } } }));
    world.scheduler.enqueue({ kind: "Stage", project, name: "gate" });
    await world.rest();
    expect((await getFreight("f2")).status?.verifiedIn).not.toHaveProperty("gate");
    await unfreeze({ project, stage: "gate" });
    expect((await getFreight("f2")).status?.verifiedIn).toHaveProperty("gate");
  });

  it("outlasts the end of a wider one", async () => {
    const { getStage } = await open([stage("test", [direct]), stage("prod", [direct])]);
    await freeze({});
    await freeze({ project, stage: "prod" });
    await unfreeze({});
    expect((await getStage("test")).status).not.toHaveProperty("freeze");
    expect((await getStage("prod")).status?.freeze).toMatchObject({ stage: "prod" });
    expect(await world.freezes.list("yard")).toEqual([]);
  });

  it("cannot be of what is not there, nor end where there is none", async () => {
    await open([]);
    await expect(freeze({ project, stage: "nowhere" })).rejects.toThrow('Stage "nowhere" not found');
    await expect(unfreeze({ project })).rejects.toThrow('There is no freeze of project "shop"');
    await expect(unfreeze({})).rejects.toThrow("There is no freeze of everything");
  });
});
