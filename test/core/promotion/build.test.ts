import { describe, expect, it } from "vitest";
import { buildPromotion, shortLabelValue } from "#core/promotion/build.ts";
import { promotionName } from "#core/promotion/name.ts";
import type { Stage } from "#core/resources/stage.ts";

const freight = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

function stage(spec: object): Stage {
  return {
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "Stage",
    metadata: { name: "test", namespace: "shop", uid: "stage-uid" },
    spec: { requestedFreight: [], ...spec },
  } as unknown as Stage;
}

const build = (spec: object, options = {}) =>
  buildPromotion(stage(spec), freight, { findTask: async () => undefined, ...options });

describe("building a promotion", () => {
  it("takes steps and variables from the stage, the template's variables last", async () => {
    const promotion = await build({
      shard: "edge",
      vars: [{ name: "a", value: "stage" }],
      promotionTemplate: { spec: { vars: [{ name: "a", value: "template" }], steps: [{ uses: "copy" }] } },
    });
    expect(promotion.metadata.name).toMatch(/^test\.[0-9a-z]{26}\.0a1b2c3$/);
    expect(promotion).toMatchObject({
      metadata: {
        namespace: "shop",
        labels: { "kargo.akuity.io/stage": "test", "kargo.akuity.io/shard": "edge" },
        annotations: { "kargo.akuity.io/stage": "test" },
        ownerReferences: [{ kind: "Stage", name: "test", uid: "stage-uid", controller: true }],
      },
      spec: {
        stage: "test",
        freight,
        vars: [
          { name: "a", value: "stage" },
          { name: "a", value: "template" },
        ],
        steps: [{ uses: "copy", as: "step-1" }],
      },
    });
  });

  it("says who asked for it", async () => {
    const template = { promotionTemplate: { spec: { steps: [{ uses: "copy" }] } } };
    const promotion = await build(template, { actor: "email:jo@example.com", annotations: { note: "x" } });
    expect(promotion.metadata.annotations).toMatchObject({
      "kargo.akuity.io/create-actor": "email:jo@example.com",
      note: "x",
    });
  });

  it.each([{}, { promotionTemplate: { spec: { steps: [] } } }])(
    "refuses a stage without steps: %j",
    async (spec) => {
      await expect(build(spec)).rejects.toThrow(
        /Stage "test" in project "shop": it defines no promotion steps/,
      );
    },
  );
});

describe("names of promotions", () => {
  it("sort in the order in which they were made", () => {
    const names = Array.from({ length: 200 }, () => promotionName("test", freight));
    expect(names.toSorted()).toEqual(names);
  });

  it.each([
    { prefix: "s".repeat(300), length: 253 },
    { prefix: "dev", length: 3 + 1 + 26 + 1 + 7 },
  ])("are at most 253 long: $length", ({ prefix, length }) => {
    expect(promotionName(prefix, freight)).toHaveLength(length);
  });

  it("do not leave a separator where a long prefix was cut", () => {
    expect(promotionName(`${"s".repeat(215)}...-.more`, freight)).toMatch(/^s+\.[0-9a-z]{26}\.0a1b2c3$/);
  });

  it("are in lower case, and short when the freight's name is", () => {
    expect(promotionName("DEV", "AB")).toMatch(/^dev\.[0-9a-z]{26}\.ab$/);
  });
});

describe("label values", () => {
  it("are cut to 63 characters and stay apart", () => {
    const [one, two] = [shortLabelValue("a".repeat(80)), shortLabelValue("a".repeat(81))];
    expect(one).toHaveLength(63);
    expect(one).not.toBe(two);
    expect(shortLabelValue("test")).toBe("test");
  });
});
