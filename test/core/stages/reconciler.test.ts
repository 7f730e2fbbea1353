import { afterEach, describe, expect, it } from "vitest";
import type { HealthChecker } from "#core/stages/pass.ts";
import {
  autoPromote,
  createWorld,
  direct,
  freight,
  origin,
  passage,
  request,
  stage,
  verifiedIn,
  type World,
  warehouse,
} from "#test/core/stages/stage-world.ts";

let world: World;
afterEach(() => world?.close());

async function open(...args: Parameters<typeof createWorld>): Promise<World> {
  world = await createWorld(...args);
  return world;
}

describe("promotions of a stage", () => {
  it("have their turns one after another, in the order of their creation", async () => {
    const { promote, getStage, finish } = await open([stage("test", [direct]), freight("f1"), freight("f2")]);
    const first = await promote("test", "f1");
    const second = await promote("test", "f2");
    expect((await getStage("test")).status?.currentPromotion?.name).toBe(first.metadata.name);
    await finish("test");
    expect((await getStage("test")).status?.currentPromotion?.name).toBe(second.metadata.name);
    await finish("test");
    expect((await getStage("test")).status).not.toHaveProperty("currentPromotion");
  });

  it("leave in the stage what it holds, and in the freight where it is", async () => {
    const { promote, getStage, getFreight, finish, condition } = await open([
      stage("test", [direct]),
      freight("f1"),
      freight("f2"),
    ]);
    const { metadata } = await promote("test", "f1");
    expect(await condition("test", "Promoting")).toMatchObject({ status: "True", reason: "ActivePromotion" });
    expect(await condition("test", "Ready")).toMatchObject({ status: "False", reason: "ActivePromotion" });
    await finish("test");
    const { status } = await getStage("test");
    expect(status).toMatchObject({
      freightSummary: "f1",
      freightHistory: [
        {
          id: expect.stringMatching(/^[0-9a-f]{40}$/),
          items: { "Warehouse/app": { name: "f1" } },
          verificationHistory: [{ phase: "Successful" }],
        },
      ],
      lastPromotion: { name: metadata.name, freight: { name: "f1" }, status: { phase: "Succeeded" } },
      health: { status: "Healthy" },
      observedGeneration: 1,
    });
    expect(status?.conditions?.map(({ type, status }) => `${type} ${status}`).sort()).toEqual([
      "Healthy True",
      "Ready True",
      "Verified True",
    ]);
    expect((await getFreight("f1")).status).toMatchObject({
      currentlyIn: { test: { since: expect.any(String) } },
      verifiedIn: { test: { verifiedAt: expect.any(String) } },
    });
    await promote("test", "f2");
    await finish("test");
    expect((await getFreight("f1")).status?.currentlyIn).toEqual({});
    expect((await getFreight("f2")).status?.currentlyIn).toHaveProperty("test");
    expect((await getStage("test")).status?.freightHistory).toHaveLength(2);
  });

  it.each(["Failed", "Errored", "Aborted"] as const)(
    "that end %s change nothing of what the stage holds, and let the next one go on",
    async (phase) => {
      const { promote, getStage, getFreight, finish, condition } = await open([
        stage("test", [direct]),
        freight("f1"),
        freight("f2"),
        freight("f3"),
      ]);
      await promote("test", "f1");
      await finish("test");
      await promote("test", "f2");
      await promote("test", "f3");
      await finish("test", phase, { message: "it did not work" });
      const { status } = await getStage("test");
      expect(status?.freightHistory?.[0]?.items).toMatchObject({ "Warehouse/app": { name: "f1" } });
      expect(status?.lastPromotion?.status?.phase).toBe(phase);
      expect(status?.currentPromotion).toBeDefined();
      expect((await getFreight("f2")).status?.currentlyIn ?? {}).toEqual({});
      await finish("test");
      expect((await getStage("test")).status?.freightSummary).toBe("f3");
      expect(await condition("test", "Ready")).toMatchObject({ status: "True" });
    },
  );

  it("that end badly make the stage not ready and its health unknown", async () => {
    const { promote, getStage, finish, condition } = await open([stage("test", [direct]), freight("f1")]);
    await promote("test", "f1");
    await finish("test", "Failed", { message: "it did not work" });
    expect(await condition("test", "Ready")).toMatchObject({
      status: "False",
      reason: "LastPromotionFailed",
      message: "it did not work",
    });
    expect((await getStage("test")).status?.health).toEqual({
      status: "Unknown",
      issues: ["Cannot assess health because last Promotion did not succeed"],
    });
  });

  it("that are aborted in the queue leave the freight of other origins to inherit", async () => {
    const both = [direct, request({ direct: true }, "config")];
    const { promote, abort, getStage, finish } = await open([
      warehouse("config"),
      stage("test", both),
      freight("app-1"),
      freight("app-2"),
      freight("config-1", { warehouse: "config" }),
      freight("config-2", { warehouse: "config" }),
    ]);
    await promote("test", "app-1");
    await finish("test");
    await promote("test", "config-1");
    await finish("test");
    await promote("test", "app-2");
    const queued = await promote("test", "config-2");
    await abort(queued.metadata.name);
    await finish("test", "Failed");
    await promote("test", "app-2");
    await finish("test");
    const { status } = await getStage("test");
    const held = Object.values(status?.freightHistory?.[0]?.items ?? {}).map(({ name }) => name);
    expect(held.sort()).toEqual(["app-2", "config-1"]);
    expect(status?.freightSummary).toBe("2/2 Fulfilled");
  });

  it("that are aborted in the queue leave the stage as it is", async () => {
    const { promote, abort, finish, getFreight, getStage, condition } = await open([
      stage("test", [direct]),
      freight("f1"),
      freight("f2"),
    ]);
    const first = await promote("test", "f1");
    const queued = await promote("test", "f2");
    await abort(queued.metadata.name);
    await finish("test");
    expect((await getStage("test")).status?.lastPromotion?.name).toBe(first.metadata.name);
    expect((await getFreight("f1")).status?.verifiedIn).toHaveProperty("test");
    expect(await condition("test", "Ready")).toMatchObject({ status: "True" });
  });

  it("that are deleted while they have their turn give it to the next one", async () => {
    const { promote, getStage, store, rest, begin, project } = await open([
      stage("test", [direct]),
      freight("f1"),
      freight("f2"),
    ]);
    const first = await promote("test", "f1");
    const second = await promote("test", "f2");
    await begin("test");
    await store.write([{ op: "delete", ref: { kind: "Promotion", project, name: first.metadata.name } }]);
    await rest();
    expect((await getStage("test")).status?.currentPromotion?.name).toBe(second.metadata.name);
  });

  it("are looked at no more often than there is news", async () => {
    const { promote, finish, runs } = await open([
      stage("test", [direct]),
      freight("f1"),
      stage("other", [direct]),
    ]);
    const before = runs.length;
    await promote("test", "f1");
    await finish("test");
    const names = runs.slice(before).map(({ ref }) => ref.name);
    expect(names).not.toContain("other");
    expect(names.length).toBeLessThanOrEqual(6);
  });
});

describe("what may be promoted", () => {
  it("is refused to a stage that may not take it, with the reason", async () => {
    const { operations, project } = await open([
      stage("test", [direct]),
      stage("prod", [verifiedIn("test")]),
      freight("f1"),
    ]);
    const actor = "email:jo@example.com";
    const promote = (request: { stage: string; freight: string }) =>
      operations.promote({ project, actor, ...request });
    await expect(promote({ stage: "prod", freight: "f1" })).rejects.toThrow(
      'Freight "f1" is not available to Stage "prod"',
    );
    await expect(promote({ stage: "prod", freight: "f9" })).rejects.toThrow('Freight "f9" not found');
    await expect(promote({ stage: "qa", freight: "f1" })).rejects.toThrow('Stage "qa" not found');
  });

  it("goes down the pipeline as it is verified", async () => {
    const { promote, finish, getStage } = await open([
      stage("test", [direct]),
      stage("prod", [verifiedIn("test")]),
      freight("f1"),
    ]);
    await promote("test", "f1");
    await finish("test");
    await promote("prod", "f1");
    await finish("prod");
    expect((await getStage("prod")).status?.freightSummary).toBe("f1");
  });

  it("is what somebody approved, for that stage alone", async () => {
    const { operations, promote, project, events } = await open([
      stage("test", [direct]),
      stage("qa", [verifiedIn("test")]),
      stage("prod", [verifiedIn("qa")]),
      freight("f1"),
    ]);
    await operations.approveFreight({ project, stage: "qa", freight: "f1", actor: "admin" });
    await promote("qa", "f1");
    await expect(promote("prod", "f1")).rejects.toThrow("is not available");
    expect(await events()).toContain("FreightApproved f1");
  });

  it("goes by origin to what auto-promotion would choose, where it is not on too", async () => {
    const { operations, project } = await open([
      stage("test", [direct]),
      stage("prod", [verifiedIn("test")]),
      freight("old", { discoveredAt: "2030-01-01T00:00:00Z" }),
      freight("new", { discoveredAt: "2030-01-02T00:00:00Z" }),
    ]);
    const actor = "admin";
    const created = await operations.promote({ project, stage: "test", origin: origin(), actor });
    expect(created.spec.freight).toBe("new");
    await expect(operations.promote({ project, stage: "prod", origin: origin(), actor })).rejects.toThrow(
      'no auto-promotion candidate found for origin "Warehouse/app" on Stage "prod"',
    );
  });

  it("goes downstream to all stages right after, or to none of them", async () => {
    const { operations, promote, finish, project, promoted } = await open([
      stage("test", [direct]),
      stage("qa", [verifiedIn("test")]),
      stage("uat", [verifiedIn("test")]),
      passage("gate", [verifiedIn("test")]),
      stage("prod", [verifiedIn("qa")]),
      freight("f1"),
    ]);
    const downstream = () =>
      operations.promoteDownstream({ project, stage: "test", freight: "f1", actor: "admin" });
    await expect(downstream()).rejects.toThrow('is not available to downstream Stage "qa"');
    await promote("test", "f1");
    await finish("test");
    const { promotions, errors } = await downstream();
    expect(errors).toEqual([]);
    expect(promotions.map(({ spec }) => spec.stage)).toEqual(["qa", "uat"]);
    expect(await promoted("prod")).toEqual([]);
  });
});

describe("auto-promotion", () => {
  const older = freight("old", { discoveredAt: "2030-01-01T00:00:00Z" });
  const newer = freight("new", { discoveredAt: "2030-01-02T00:00:00Z" });

  it("promotes the newest freight, and newer freight as it comes", async () => {
    const { promoted, finish, add, getStage, events } = await open([
      autoPromote(),
      stage("test", [direct]),
      newer,
      older,
    ]);
    expect(await promoted("test")).toEqual(["new"]);
    await finish("test");
    await add(freight("newest", { discoveredAt: "2030-01-03T00:00:00Z" }));
    await finish("test");
    expect(await promoted("test")).toEqual(["new", "newest"]);
    expect((await getStage("test")).status?.autoPromotionEnabled).toBe(true);
    expect((await events()).filter((event) => event.startsWith("PromotionCreated"))).toHaveLength(2);
  });

  it("carries freight down the pipeline, past stages without steps", async () => {
    const { finish, promoted, getStage, getFreight } = await open([
      autoPromote(),
      stage("test", [direct]),
      passage("gate", [verifiedIn("test")]),
      stage("qa", [verifiedIn("gate")]),
      stage("prod", [verifiedIn("qa")]),
      older,
    ]);
    for (const name of ["test", "qa", "prod"]) await finish(name);
    expect(await promoted("prod")).toEqual(["old"]);
    expect((await getFreight("old")).status?.verifiedIn).toHaveProperty("gate");
    expect((await getStage("gate")).status).toMatchObject({
      freightSummary: "N/A",
      conditions: [{ type: "Ready", status: "True" }],
    });
  });

  it("does not try again what failed, until somebody promotes it", async () => {
    const { finish, promoted, promote, rest, scheduler, project } = await open([
      autoPromote(),
      stage("test", [direct]),
      older,
    ]);
    await finish("test", "Failed");
    scheduler.enqueue({ kind: "Stage", project, name: "test" });
    await rest();
    expect(await promoted("test")).toEqual(["old"]);
    await promote("test", "old");
    await finish("test");
    expect(await promoted("test")).toEqual(["old", "old"]);
  });

  it("starts when the project's settings begin to allow it", async () => {
    const { promoted, add } = await open([stage("test", [direct]), older]);
    expect(await promoted("test")).toEqual([]);
    await add(autoPromote());
    expect(await promoted("test")).toEqual(["old"]);
  });

  it("follows the one upstream stage where it is told to, back to older freight too", async () => {
    const follow = request({ stages: ["test"], autoPromotionOptions: { selectionPolicy: "MatchUpstream" } });
    const { finish, promoted, promote } = await open([
      autoPromote({ autoPromotionEnabled: true, stageSelector: { name: "prod" } }),
      stage("test", [direct]),
      stage("prod", [follow]),
      older,
      newer,
    ]);
    for (const name of ["new", "old"]) {
      await promote("test", name);
      await finish("test");
      await finish("prod");
    }
    expect(await promoted("prod")).toEqual(["new", "old"]);
  });

  it("waits for freight to have soaked upstream, and wakes by itself when it has", async () => {
    const soaked = request({ stages: ["test"], requiredSoakTime: "1h" });
    const { finish, promoted, advance } = await open([
      autoPromote(),
      stage("test", [direct]),
      stage("prod", [soaked]),
      older,
    ]);
    await finish("test");
    await advance(3500);
    expect(await promoted("prod")).toEqual([]);
    await advance(110);
    expect(await promoted("prod")).toEqual(["old"]);
  });

  it("keeps promotions from nothing when it cannot go on itself", async () => {
    const { promote, finish, store, rest, getStage, getFreight, condition, project } = await open([
      autoPromote(),
      stage("test", [direct]),
      older,
      newer,
    ]);
    await promote("test", "old");
    await store.write([{ op: "delete", ref: { kind: "Warehouse", project, name: "app" } }]);
    await finish("test");
    await rest();
    expect((await getFreight("new")).status?.verifiedIn).toHaveProperty("test");
    expect(await condition("test", "Ready")).toMatchObject({ status: "False", reason: "ReconcileError" });
    await finish("test");
    expect((await getStage("test")).status?.freightHistory?.[0]?.items).toMatchObject({
      "Warehouse/app": { name: "old" },
    });
  });

  it("leaves everything else at work when the project's policies cannot be read", async () => {
    const policies = autoPromote({ autoPromotionEnabled: true, stageSelector: { name: "regex:(" } });
    const { promote, finish, getStage, condition } = await open([
      policies,
      stage("test", [direct]),
      older,
      newer,
    ]);
    await promote("test", "old");
    await finish("test");
    expect((await getStage("test")).status?.freightSummary).toBe("old");
    expect(await condition("test", "Ready")).toMatchObject({
      reason: "ReconcileError",
      message: expect.stringContaining("missing closing )"),
    });
  });

  it("says so in its condition and not in the log, and goes on when it is there, when a Warehouse is missing", async () => {
    const { condition, add, promoted, runs } = await open([
      autoPromote(),
      stage("test", [request({ direct: true }, "config")]),
      passage("gate", [request({ direct: true }, "config")]),
      freight("c1", { warehouse: "config" }),
    ]);
    expect(runs.filter(({ failure }) => failure !== undefined)).toEqual([]);
    expect(await condition("gate", "Ready")).toMatchObject({ reason: "ReconcileError" });
    expect(await condition("test", "Ready")).toMatchObject({
      status: "False",
      reason: "ReconcileError",
      message: expect.stringContaining('Warehouse "config" not found'),
    });
    await add(warehouse("config"));
    expect(await promoted("test")).toEqual(["c1"]);
    expect(await condition("gate", "Ready")).toMatchObject({ status: "True" });
  });
});

describe("holds", () => {
  const older = freight("old", { discoveredAt: "2030-01-01T00:00:00Z" });
  const newer = freight("new", { discoveredAt: "2030-01-02T00:00:00Z" });

  async function held() {
    const opened = await open([autoPromote(), stage("test", [direct]), older, newer]);
    await opened.finish("test");
    await opened.promote("test", "old");
    return opened;
  }

  it("keep what somebody promoted in the place of what auto-promotion would choose", async () => {
    const { finish, getStage, add, promoted } = await held();
    expect((await getStage("test")).status?.effectiveAutoPromotionHolds).toHaveProperty("Warehouse/app");
    await finish("test");
    expect((await getStage("test")).status?.autoPromotionHolds).toMatchObject({
      "Warehouse/app": { freightName: "old", origin: origin(), actor: "email:jo@example.com" },
    });
    await add(freight("newest", { discoveredAt: "2030-01-03T00:00:00Z" }));
    expect(await promoted("test")).toEqual(["new", "old"]);
  });

  it("are lifted by promoting what auto-promotion would choose", async () => {
    const { finish, promote, getStage, add, promoted } = await held();
    await finish("test");
    await promote("test", "new");
    await finish("test");
    expect((await getStage("test")).status).not.toHaveProperty("autoPromotionHolds");
    await add(freight("newest", { discoveredAt: "2030-01-03T00:00:00Z" }));
    expect(await promoted("test")).toEqual(["new", "old", "new", "newest"]);
  });

  it("are not made by a promotion that was aborted", async () => {
    const { finish, getStage } = await held();
    await finish("test", "Aborted");
    expect((await getStage("test")).status).not.toHaveProperty("autoPromotionHolds");
  });

  it("go when auto-promotion is switched off", async () => {
    const { finish, getStage, store, rest } = await held();
    await finish("test");
    await store.write([
      { op: "update", resource: autoPromote({ autoPromotionEnabled: false, stageSelector: {} }) },
    ]);
    await rest();
    expect((await getStage("test")).status).not.toHaveProperty("autoPromotionHolds");
  });
});

describe("health", () => {
  const check = { uses: "probe", config: { app: "shop" } };

  it.each([
    { found: ["Healthy", "Healthy"], gives: "Healthy", condition: "True" },
    { found: ["Healthy", "Progressing"], gives: "Progressing", condition: "Unknown" },
    { found: ["Unknown", "Progressing"], gives: "Unknown", condition: "Unknown" },
    { found: ["Unhealthy", "Unknown"], gives: "Unhealthy", condition: "False" },
  ] as const)("of checks that say $found is $gives", async ({ found, gives, condition: status }) => {
    const answers = [...found];
    const probe = async () => ({ status: answers.shift() ?? found[0], issues: [] });
    const { promote, finish, getStage, condition } = await open([stage("test", [direct]), freight("f1")], {
      healthCheckers: { probe },
    });
    await promote("test", "f1");
    await finish("test", "Succeeded", { healthChecks: [check, check] });
    expect((await getStage("test")).status?.health?.status).toBe(gives);
    expect(await condition("test", "Healthy")).toMatchObject({ status });
  });

  it("is looked at again at leisure, and freight is verified once it is good", async () => {
    let status: "Progressing" | "Healthy" = "Progressing";
    const { promote, finish, getFreight, advance } = await open([stage("test", [direct]), freight("f1")], {
      healthCheckers: { probe: async () => ({ status }) },
    });
    await promote("test", "f1");
    await finish("test", "Succeeded", { healthChecks: [check] });
    expect((await getFreight("f1")).status?.verifiedIn).toBeUndefined();
    status = "Healthy";
    await advance(300);
    expect((await getFreight("f1")).status?.verifiedIn).toHaveProperty("test");
  });

  it("is looked at soon after a promotion, ever more rarely while it is bad, and rarely once it is good", async () => {
    let status: "Progressing" | "Healthy" = "Progressing";
    let looks = 0;
    const probe: HealthChecker = async () => {
      looks += 1;
      return { status };
    };
    const { promote, finish, advance } = await open([stage("test", [direct]), freight("f1")], {
      healthCheckers: { probe },
    });
    await promote("test", "f1");
    await finish("test", "Succeeded", { healthChecks: [check] });
    const looksIn = async (seconds: number) => {
      const before = looks;
      for (let passed = 0; passed < seconds; passed += 5) await advance(5);
      return looks - before;
    };
    const inMinutes = [await looksIn(60), await looksIn(60), await looksIn(60), await looksIn(60)];
    expect(inMinutes[0]).toBeGreaterThanOrEqual(6);
    expect(inMinutes).toEqual(inMinutes.toSorted((a, b) => b - a));
    expect(inMinutes[3]).toBeLessThanOrEqual(2);
    status = "Healthy";
    await looksIn(120);
    expect(await looksIn(300)).toBe(1);
  });

  it.each<{ what: string; checkers: Record<string, HealthChecker>; issue: string }>([
    {
      what: "a check that nobody can make",
      checkers: {},
      issue: 'no health checker registered for health check kind "probe"',
    },
    {
      what: "a check that cannot be carried out",
      checkers: {
        probe: async () => {
          throw new Error("no answer");
        },
      },
      issue: "probe: no answer",
    },
  ])("of $what is unknown, and says why", async ({ checkers, issue }) => {
    const { promote, finish, getStage } = await open([stage("test", [direct]), freight("f1")], {
      healthCheckers: checkers,
    });
    await promote("test", "f1");
    await finish("test", "Succeeded", { healthChecks: [check] });
    expect((await getStage("test")).status?.health).toEqual({ status: "Unknown", issues: [issue] });
  });
});

describe("the Argo CD Applications of a stage", () => {
  const key = "kargo.akuity.io/argocd-context";
  const web = { name: "web", namespace: "argocd" };
  const api = { name: "api", namespace: "apps" };

  it("are named by its last promotion that succeeded: by its steps' outputs and its health checks", async () => {
    const { promote, finish, getStage, annotate } = await open([stage("test", [direct]), freight("f1")]);
    const told = async () => (await getStage("test")).metadata.annotations?.[key];
    await annotate("Stage", "test", "mine", "stays");

    await promote("test", "f1");
    const healthChecks = [
      { uses: "argocd-update", config: { apps: [{ ...web, desiredRevisions: ["a"] }, api] } },
    ];
    await finish("test", "Succeeded", { healthChecks });
    expect(await told()).toBe(JSON.stringify([web, api]));

    await promote("test", "f1");
    await finish("test", "Failed");
    expect(await told()).toBe(JSON.stringify([web, api]));

    await promote("test", "f1");
    await finish("test", "Succeeded", { healthChecks: [{ uses: "argocd-update", config: { apps: "odd" } }] });
    expect(await told()).toBeUndefined();
    expect((await getStage("test")).metadata.annotations).toHaveProperty("mine", "stays");
  });
});
