import { afterEach, describe, expect, it } from "vitest";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import type { PromotionPolicy } from "#core/resources/project-config.ts";
import type { Resource } from "#core/resources/resource.ts";
import { keys } from "#core/stages/keys.ts";
import {
  autoPromote,
  createWorld,
  direct,
  freight,
  request,
  stage,
  type World,
  warehouse,
} from "#test/core/stages/stage-world.ts";

let world: World;
afterEach(() => world?.close());

const template: Resource = {
  apiVersion: "argoproj.io/v1alpha1",
  kind: "AnalysisTemplate",
  metadata: { name: "smoke", namespace: "shop" },
  spec: { metrics: [{ name: "m", provider: { web: { url: "http://x" } } }] },
};
const verification = { analysisTemplates: [{ name: "smoke" }] };

/** A stage under this policy, with verifications that end as they are told to. */
async function open(policy: PromotionPolicy, requests = [direct]) {
  world = await createWorld([
    autoPromote({ stageSelector: { name: "prod" }, ...policy }),
    template,
    warehouse("config"),
    stage("prod", requests, { verification }),
    freight("good", { discoveredAt: "2030-01-01T00:00:00Z" }),
    freight("bad", { discoveredAt: "2030-01-02T00:00:00Z" }),
    freight("config-good", { warehouse: "config" }),
    freight("config-bad", { warehouse: "config" }),
  ]);
}

async function endRun(phase: "Successful" | "Failed" | "Error"): Promise<void> {
  const runs = (await world.store.list({ kind: "AnalysisRun", project: "shop" })) as AnalysisRun[];
  const name = runs.findLast(({ status }) => status?.phase === undefined)?.metadata.name ?? "";
  const status = { phase, completedAt: world.now().toISOString() };
  await world.store.write([{ op: "status", ref: { kind: "AnalysisRun", project: "shop", name }, status }]);
  await world.rest();
}

/** Promotes freight and ends its verification. */
async function bring(name: string, phase: "Successful" | "Failed" | "Error"): Promise<void> {
  await world.promote("prod", name);
  await world.finish("prod");
  await endRun(phase);
}

const onFailure: PromotionPolicy = { autoRollback: {} };

describe("auto-rollback", () => {
  it("promotes what was verified last when a verification fails", async () => {
    await open(onFailure);
    await bring("good", "Successful");
    expect((await world.getStage("prod")).status?.metadata).toEqual({
      stableFreight: { "Warehouse/app": "good" },
    });
    await bring("bad", "Failed");
    const rollback = (await world.promotions("prod")).at(-1);
    expect(rollback?.spec.freight).toBe("good");
    expect(rollback?.metadata.annotations?.[keys.rollback]).toBe("true");
    await world.finish("prod");
    expect((await world.getStage("prod")).status?.freightSummary).toBe("good");
    expect(await world.promoted("prod")).toEqual(["good", "bad", "good"]);
  });

  it.each<{ when: string; policy: PromotionPolicy; phase: "Failed" | "Error"; does: boolean }>([
    { when: "a verification fails", policy: onFailure, phase: "Failed", does: true },
    { when: "a verification cannot be carried out", policy: onFailure, phase: "Error", does: false },
    {
      when: "a verification cannot be carried out, and that counts",
      policy: { autoRollback: { onVerification: ["Error"] } },
      phase: "Error",
      does: true,
    },
    {
      when: "a verification fails, and that does not count",
      policy: { autoRollback: { onVerification: ["Error"] } },
      phase: "Failed",
      does: false,
    },
    { when: "the policy does not ask for it", policy: {}, phase: "Failed", does: false },
  ])("when $when: $does", async ({ policy, phase, does }) => {
    await open(policy);
    await bring("good", "Successful");
    await bring("bad", phase);
    expect(await world.promoted("prod")).toEqual(does ? ["good", "bad", "good"] : ["good", "bad"]);
  });

  it.each([
    { phase: "Failed", policy: { autoRollback: { onPromotion: ["Failed"] } }, does: true },
    { phase: "Errored", policy: { autoRollback: { onPromotion: ["Failed"] } }, does: false },
    { phase: "Failed", policy: onFailure, does: false },
  ] as const)("of a promotion that is $phase under $policy: $does", async ({ phase, policy, does }) => {
    await open(policy as PromotionPolicy);
    await bring("good", "Successful");
    await world.promote("prod", "bad");
    await world.finish("prod", phase);
    expect(await world.promoted("prod")).toEqual(does ? ["good", "bad", "good"] : ["good", "bad"]);
  });

  it("does nothing where nothing was ever verified", async () => {
    await open(onFailure);
    await bring("bad", "Failed");
    expect(await world.promoted("prod")).toEqual(["bad"]);
  });

  it("waits for what is queued, which may mend it", async () => {
    await open(onFailure);
    await bring("good", "Successful");
    await world.promote("prod", "bad");
    await world.finish("prod");
    await world.promote("prod", "good");
    await endRun("Failed");
    expect(await world.promoted("prod")).toEqual(["good", "bad", "good"]);
    await world.finish("prod");
    expect(await world.promoted("prod")).toEqual(["good", "bad", "good"]);
  });

  it("does not roll back a rollback", async () => {
    await open({ autoRollback: { onPromotion: ["Failed"], onVerification: ["Failed"] } });
    await bring("good", "Successful");
    await bring("bad", "Failed");
    await world.finish("prod", "Failed");
    expect(await world.promoted("prod")).toEqual(["good", "bad", "good"]);
  });

  it("leaves old failures alone", async () => {
    await open({});
    await bring("good", "Successful");
    const { store, rest } = world;
    const enable = async () => {
      await store.write([
        { op: "update", resource: autoPromote({ stageSelector: { name: "prod" }, ...onFailure }) },
      ]);
      await rest();
    };
    await enable();
    await store.write([{ op: "update", resource: autoPromote({ stageSelector: { name: "prod" } }) }]);
    await bring("bad", "Failed");
    await world.advance(20 * 60 + 5);
    await enable();
    expect(await world.promoted("prod")).toEqual(["good", "bad"]);
  });

  it("says nothing against freight whose verification somebody aborted", async () => {
    await open(onFailure);
    await bring("good", "Successful");
    await world.promote("prod", "bad");
    await world.finish("prod");
    await world.operations.abortVerification({ project: "shop", stage: "prod", actor: "admin" });
    await world.rest();
    expect(await world.promoted("prod")).toEqual(["good", "bad"]);
  });

  it("keeps auto-promotion from bringing the bad freight back", async () => {
    await open({ ...onFailure, autoPromotionEnabled: true });
    await world.finish("prod");
    await endRun("Successful");
    await world.add(freight("worse", { discoveredAt: "2030-01-03T00:00:00Z" }));
    await world.finish("prod");
    await endRun("Failed");
    await world.finish("prod");
    expect(await world.promoted("prod")).toEqual(["bad", "worse", "bad"]);
    expect((await world.getStage("prod")).status?.autoPromotionHolds).toMatchObject({
      "Warehouse/app": { freightName: "bad" },
    });
  });

  it("takes back one origin after another, in the order in which they came, until it is good", async () => {
    await open(onFailure, [direct, request({ direct: true }, "config")]);
    await bring("good", "Successful");
    await bring("config-good", "Successful");
    await world.promote("prod", "config-bad");
    await world.promote("prod", "bad");
    await world.finish("prod");
    await endRun("Failed");
    await world.finish("prod");
    await endRun("Failed");
    expect((await world.promoted("prod")).slice(4)).toEqual(["config-good"]);
    await world.finish("prod");
    await endRun("Failed");
    expect((await world.promoted("prod")).slice(4)).toEqual(["config-good", "good"]);
    await world.finish("prod");
    expect((await world.promoted("prod")).slice(4)).toEqual(["config-good", "good"]);
  });
});
