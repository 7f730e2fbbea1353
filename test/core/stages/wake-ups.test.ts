import { describe, expect, it } from "vitest";
import type { Freight, FreightStatus } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { keys } from "#core/stages/keys.ts";
import { createStageWakeUps } from "#core/stages/wake-ups.ts";
import type { ResourceChange } from "#core/store/store.ts";
import { direct, freight, passage, request, stage, verifiedIn } from "#test/core/stages/stage-world.ts";

const pipeline = [
  stage("test", [direct]),
  stage("qa", [verifiedIn("test")]),
  passage("gate", [verifiedIn("test", "qa")]),
  stage("prod", [verifiedIn("gate")]),
  stage("other", [request({ direct: true }, "config")]),
  stage("mixed", [request({ stages: ["test"] }, "config")]),
];

function know(stages: Stage[] = pipeline) {
  const wakeUps = createStageWakeUps();
  wakeUps.know(stages);
  const wake = (type: ResourceChange["type"], resource: Resource | Freight | Stage) =>
    wakeUps.enqueueFor({ type, resource: resource as Resource }).map(({ name }) => name);
  return { wake };
}

const withStatus = (status: FreightStatus) => freight("f", { status });

describe("a change of freight wakes", () => {
  it.each<{ when: string; before?: FreightStatus; after: FreightStatus; wakes: string[] }>([
    { when: "it is verified", after: { verifiedIn: { test: {} } }, wakes: ["qa", "gate"] },
    {
      when: "it is verified further on",
      before: { verifiedIn: { test: {} } },
      after: { verifiedIn: { test: {}, qa: {} } },
      wakes: ["gate"],
    },
    {
      when: "its verification is taken back",
      before: { verifiedIn: { test: {} } },
      after: { verifiedIn: {} },
      wakes: ["qa", "gate"],
    },
    { when: "it comes into a stage", after: { currentlyIn: { gate: {} } }, wakes: ["prod"] },
    { when: "it leaves a stage", before: { currentlyIn: { qa: {} } }, after: {}, wakes: ["gate"] },
    { when: "it is approved", after: { approvedFor: { prod: {} } }, wakes: ["prod"] },
    { when: "its metadata change", after: { metadata: { a: 1 } }, wakes: [] },
  ])("what follows when $when: $wakes", ({ before = {}, after, wakes }) => {
    const { wake } = know();
    wake("ADDED", withStatus(before));
    expect(wake("MODIFIED", withStatus(after))).toEqual(wakes);
    expect(wake("MODIFIED", withStatus(after))).toEqual([]);
  });

  it("those that take it directly when it is new", () => {
    const { wake } = know();
    expect(wake("ADDED", freight("f"))).toEqual(["test"]);
    expect(wake("ADDED", freight("c", { warehouse: "config" }))).toEqual(["other"]);
    expect(wake("DELETED", freight("f"))).toEqual([]);
  });

  it("by the stages as they are now", () => {
    const { wake } = know();
    wake("MODIFIED", stage("qa", [direct]));
    wake("DELETED", stage("test", [direct]));
    expect(wake("ADDED", freight("f"))).toEqual(["qa"]);
    expect(wake("MODIFIED", withStatus({ verifiedIn: { test: {} } }))).toEqual(["gate"]);
  });
});

describe("a change of a stage wakes itself", () => {
  const at = (generation: number, annotations = {}, status = {}): Stage => {
    const one = stage("test", [direct]);
    return { ...one, metadata: { ...one.metadata, generation, annotations }, status };
  };

  it.each([
    { when: "its spec changes", next: at(2), wakes: ["test"] },
    { when: "a refresh is asked for", next: at(1, { [keys.refresh]: "now" }), wakes: ["test"] },
    { when: "a verification is asked for", next: at(1, { [keys.reverify]: "id" }), wakes: ["test"] },
    { when: "an abort is asked for", next: at(1, { [keys.abort]: "id" }), wakes: ["test"] },
    { when: "something else is noted on it", next: at(1, { note: "x" }), wakes: [] },
    { when: "its status changes", next: at(1, {}, { freightSummary: "f1" }), wakes: [] },
  ])("when $when: $wakes", ({ next, wakes }) => {
    const { wake } = know();
    expect(wake("ADDED", at(1))).toEqual(["test"]);
    expect(wake("MODIFIED", next)).toEqual(wakes);
  });
});

describe("other changes wake", () => {
  const resource = (
    kind: string,
    fields: Partial<Omit<Resource, "metadata">> & { metadata?: Partial<Resource["metadata"]> } = {},
  ): Resource => ({
    apiVersion: "v1",
    kind,
    ...fields,
    metadata: { name: "x", namespace: "shop", ...fields.metadata },
  });
  const promotion = (phase?: string) =>
    resource("Promotion", { spec: { stage: "qa" }, status: phase ? { phase } : undefined });
  const run = (phase?: string) =>
    resource("AnalysisRun", {
      metadata: { labels: { [keys.stage]: "qa" } },
      status: phase ? { phase } : undefined,
    });

  it("the stage of a promotion whenever its phase changes", () => {
    const { wake } = know();
    expect(wake("ADDED", promotion())).toEqual(["qa"]);
    expect(wake("MODIFIED", promotion("Pending"))).toEqual([]);
    expect(wake("MODIFIED", promotion("Running"))).toEqual(["qa"]);
    expect(wake("MODIFIED", promotion("Running"))).toEqual([]);
    expect(wake("MODIFIED", promotion("Succeeded"))).toEqual(["qa"]);
    expect(wake("DELETED", promotion("Succeeded"))).toEqual(["qa"]);
  });

  it("the stage of an AnalysisRun whenever its phase changes", () => {
    const { wake } = know();
    expect(wake("ADDED", run())).toEqual(["qa"]);
    expect(wake("MODIFIED", run("Running"))).toEqual(["qa"]);
    expect(wake("MODIFIED", run("Running"))).toEqual([]);
    expect(wake("MODIFIED", run("Failed"))).toEqual(["qa"]);
  });

  it("all stages of a project when its settings change, and no others", () => {
    const { wake } = know();
    const config = (generation: number, namespace = "shop") =>
      resource("ProjectConfig", { metadata: { generation, namespace } });
    expect(wake("ADDED", config(1)).sort()).toEqual(["gate", "mixed", "other", "prod", "qa", "test"]);
    expect(wake("MODIFIED", config(1))).toEqual([]);
    expect(wake("MODIFIED", config(2))).toHaveLength(6);
    expect(wake("ADDED", config(1, "bakery"))).toEqual([]);
  });

  it("the stages that request a Warehouse's freight when it appears", () => {
    const { wake } = know();
    const warehouse = resource("Warehouse", { metadata: { name: "config" } });
    expect(wake("ADDED", warehouse).sort()).toEqual(["mixed", "other"]);
    expect(wake("MODIFIED", warehouse)).toEqual([]);
  });

  it("nothing when they have nothing to do with stages", () => {
    expect(know().wake("ADDED", resource("ConfigMap"))).toEqual([]);
  });
});
