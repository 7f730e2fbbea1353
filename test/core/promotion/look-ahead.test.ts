import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import { lookAhead } from "#core/promotion/look-ahead.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";
import type { Invocation, Runner } from "#core/runner.ts";

describe("looking ahead to the next step", () => {
  let expressions: Expressions;
  beforeAll(async () => {
    expressions = await createExpressions();
  });
  afterAll(() => expressions.dispose());

  async function told(step: PromotionStep | undefined, signal = new AbortController().signal) {
    const heard: Invocation[] = [];
    const run = {
      ...{
        project: "shop",
        stage: "test",
        promotion: "test.1",
        uid: "6a1c",
        workspace: "/work",
        outputs: {},
      },
      ...{ vars: [{ name: "level", value: "high" }], freight: [], status: {} },
    } as unknown as PromotionRun;
    const runner: Runner = {
      run: async () => expect.unreachable(),
      prepare: async (invocation) => void heard.push(invocation),
    };
    const kinds = {
      find: async (name: string) => (name === "scan" ? { name, runner } : undefined),
      names: async () => [],
    };
    const functionsFor = () => ({ forVars: {}, forStep: {} });
    await lookAhead(run, step, { kinds, expressions, functionsFor }, signal);
    return heard.map(({ alias, attempt, config }) => ({ alias, attempt, config }));
  }

  it("tells the step's runner what is probably coming", async () => {
    const step = {
      uses: "scan",
      as: "check",
      config: { level: "${{ vars.level }}", stage: "${{ ctx.stage }}" },
    };
    expect(await told(step)).toEqual([
      { alias: "check", attempt: 1, config: { level: "high", stage: "test" } },
    ]);
  });

  it.each([
    { why: "there is none", step: undefined },
    { why: "it may be left out", step: { uses: "scan", as: "a", if: "${{ true }}" } },
    {
      why: "its config needs an output",
      step: { uses: "scan", as: "a", config: { x: "${{ outputs.b.c }}" } },
    },
    { why: "its config needs a status", step: { uses: "scan", as: "a", config: { x: "${{ failure() }}" } } },
    {
      why: "a variable of its own needs an output",
      step: { uses: "scan", as: "a", vars: [{ name: "x", value: "${{ outputs.b.c }}" }] },
    },
    { why: "nobody knows it", step: { uses: "scna", as: "a" } },
    {
      why: "its config cannot be evaluated",
      step: { uses: "scan", as: "a", config: { x: "${{ missing() }}" } },
    },
  ])("says nothing where $why", async ({ step }) => {
    expect(await told(step)).toEqual([]);
  });

  it("says nothing once the promotion is over", async () => {
    expect(await told({ uses: "scan", as: "a" }, AbortSignal.abort())).toEqual([]);
  });
});
