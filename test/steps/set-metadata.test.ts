import { describe, expect, it } from "vitest";
import type { StepResources } from "#core/step.ts";
import setFreightAlias from "#steps/set-freight-alias.ts";
import setMetadata from "#steps/set-metadata.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

function resourcesWith(known: string[], fail?: Error) {
  const calls: unknown[] = [];
  const note = async (...call: unknown[]) => {
    if (fail) throw fail;
    calls.push(call);
  };
  const resources: StepResources = {
    get: async (kind, name) =>
      known.includes(`${kind}/${name}`)
        ? {
            apiVersion: "kargo.akuity.io/v1alpha1",
            kind,
            metadata: { name },
            ...(kind === "Freight" && { alias: "old" }),
          }
        : undefined,
    setMetadata: note,
    setFreightAlias: note,
  };
  return { ctx: fakeContext({ resources }), calls };
}

describe("set-metadata", () => {
  it("merges values into each resource, in order", async () => {
    const { ctx, calls } = resourcesWith(["Stage/test", "Freight/f1"]);
    const updates = [
      { kind: "Stage", name: "test", values: { a: { b: [1] }, c: null } },
      { kind: "Freight", name: "f1", values: { d: "e" } },
    ];
    expect(await runStep(setMetadata, { updates }, ctx)).toEqual({ status: "succeeded" });
    expect(calls).toEqual([
      ["Stage", "test", { a: { b: [1] }, c: null }],
      ["Freight", "f1", { d: "e" }],
    ]);
  });

  it("says which resource does not exist", async () => {
    const { ctx } = resourcesWith([]);
    const updates = [{ kind: "Stage", name: "none", values: { a: 1 } }];
    await expect(runStep(setMetadata, { updates }, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: 'Cannot set metadata of Stage "shop/none": it does not exist',
    });
  });

  it.each([
    {},
    { updates: [] },
    { updates: [{ kind: "Warehouse", name: "a", values: { a: 1 } }] },
    { updates: [{ kind: "Stage", name: "", values: { a: 1 } }] },
    { updates: [{ kind: "Stage", name: "a", values: {} }] },
    { updates: [{ kind: "Stage", name: "a" }] },
    { updates: [{ kind: "Stage", values: { a: 1 } }] },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(setMetadata, config)).rejects.toMatchObject({ kind: "config" });
  });
});

describe("set-freight-alias", () => {
  it("sets the alias and tells both", async () => {
    const { ctx, calls } = resourcesWith(["Freight/f1"]);
    expect(await runStep(setFreightAlias, { name: "f1", alias: "new" }, ctx)).toEqual({
      status: "succeeded",
      message: 'updated alias of Freight "f1" from "old" to "new"',
    });
    expect(calls).toEqual([["f1", "new"]]);
  });

  it.each([
    { known: [], fail: undefined, says: "it does not exist" },
    { known: ["Freight/f1"], fail: new Error("the alias is taken"), says: "the alias is taken" },
  ])("fails for good when $says", async ({ known, fail, says }) => {
    const { ctx } = resourcesWith(known, fail);
    await expect(runStep(setFreightAlias, { name: "f1", alias: "new" }, ctx)).rejects.toMatchObject({
      status: "Failed",
      terminal: true,
      message: expect.stringContaining(says),
    });
  });

  it.each([{}, { name: "a" }, { alias: "a" }, { name: "", alias: "a" }, { name: "a", alias: "" }])(
    "refuses the configuration %j",
    async (config) => {
      await expect(runStep(setFreightAlias, config)).rejects.toMatchObject({ kind: "config" });
    },
  );
});
