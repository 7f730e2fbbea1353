import { describe, expect, it } from "vitest";
import { StepFailure } from "#core/failure.ts";
import { advance } from "#core/promotion/engine.ts";
import { inflateSteps } from "#core/promotion/inflate.ts";
import { openRun } from "#core/promotion/open-run.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";
import type { Invocation } from "#core/runner.ts";
import { succeeded, waiting } from "#core/step.ts";
import { runSteps, type TestKind, testFolder } from "#test/core/promotion/support.ts";

/** Puts out its configuration; fails where that says so. */
const say: TestKind = ({ config }) => {
  if (config.fail === true) throw new StepFailure("failed", "no");
  return succeeded(config);
};
const kinds: Record<string, TestKind> = {
  say,
  give: { run: ({ config }) => succeeded(config), taskOutput: true },
};
const told = (records: readonly { alias?: string; status?: string }[]) =>
  records.map(({ alias, status }) => `${alias} ${status}`);

describe("a step for each item of a list", () => {
  it("runs once for each, sees the item and its place, and puts out a list", async () => {
    const { status, outputs, records } = await runSteps(
      [
        { uses: "say", as: "find", config: { regions: [{ name: "eu" }, { name: "us" }] } },
        {
          uses: "say",
          as: "update",
          forEach: { items: "${{ outputs.find.regions }}", as: "region" },
          vars: [{ name: "where", value: "${{ vars.region.name }}-1" }],
          config: { where: "${{ vars.where }}", place: "${{ vars.regionIndex }}" },
        },
        {
          uses: "say",
          as: "after",
          config: { first: "${{ outputs.update[0].where }}", all: "${{ len(outputs.update) }}" },
        },
      ],
      kinds,
    );
    expect(status.phase).toBe("Succeeded");
    expect(told(records)).toEqual([
      "find Succeeded",
      "update[0] Succeeded",
      "update[1] Succeeded",
      "after Succeeded",
    ]);
    expect(outputs).toMatchObject({
      update: [
        { where: "eu-1", place: 0 },
        { where: "us-1", place: 1 },
      ],
      after: { first: "eu-1", all: 2 },
    });
    expect(Object.keys(status.state ?? {}).sort()).toEqual(["after", "find", "update"]);
  });

  it("takes a list that is written down, with expressions in it, and items as what they are", async () => {
    const { outputs } = await runSteps(
      [
        {
          uses: "say",
          as: "each",
          forEach: { items: ["${{ ctx.stage }}", 2, "${" + "{ quote('x') }}"] },
          config: { got: "${{ vars.item }}" },
        },
      ],
      kinds,
    );
    expect(outputs.each).toEqual([{ got: "test" }, { got: 2 }, { got: "x" }]);
  });

  it("never evaluates what an item says", async () => {
    const tag = "${" + "{ 6 * 7 }}";
    const { outputs } = await runSteps(
      [
        { uses: "tags", as: "find" },
        {
          uses: "say",
          as: "each",
          forEach: { items: "${{ outputs.find.tags }}" },
          config: { got: "${{ vars.item }}" },
        },
      ],
      { ...kinds, tags: () => succeeded({ tags: [tag] }) },
    );
    expect(outputs.each).toEqual([{ got: tag }]);
  });

  it("skips what comes after an item that failed", async () => {
    const { status, records } = await runSteps(
      [
        { uses: "say", forEach: { items: [false, true, false] }, config: { fail: "${{ vars.item }}" } },
        { uses: "say", as: "tell", if: "${{ failure() }}" },
      ],
      kinds,
    );
    expect(told(records)).toEqual([
      "step-1[0] Succeeded",
      "step-1[1] Failed",
      "step-1[2] Skipped",
      "tell Succeeded",
    ]);
    expect(status).toMatchObject({
      phase: "Failed",
      message: expect.stringContaining('step "step-1[1]": no'),
    });
  });

  it("goes on with the others where it may fail, and asks its condition for each", async () => {
    const { status, records, outputs } = await runSteps(
      [
        {
          uses: "say",
          as: "a",
          continueOnError: true,
          forEach: { items: [true, false] },
          config: { fail: "${{ vars.item }}" },
        },
        {
          uses: "say",
          as: "b",
          if: "${{ vars.item > 1 }}",
          forEach: { items: [1, 2] },
          config: { got: "${{ vars.item }}" },
        },
      ],
      kinds,
    );
    expect(told(records)).toEqual(["a[0] Failed", "a[1] Succeeded", "b[0] Skipped", "b[1] Succeeded"]);
    expect(status.phase).toBe("Succeeded");
    expect(outputs).toMatchObject({ a: [null, { fail: false }], b: [null, { got: 2 }] });
  });

  it.each<{ name: string; before: PromotionStep[]; items: string | unknown[]; record: object }>([
    {
      name: "an empty list",
      before: [],
      items: [],
      record: { status: "Skipped", message: "the list is empty" },
    },
    {
      name: "no list",
      before: [],
      items: "${{ 'x' }}",
      record: { status: "Errored", message: expect.stringContaining("forEach needs a list, got string") },
    },
    { name: "what is not there", before: [], items: "${{ outputs.none.x }}", record: { status: "Errored" } },
    {
      name: "too long a list",
      before: [],
      items: "${{ 1..1001 }}",
      record: { status: "Errored", message: expect.stringContaining("at most 1000 items, got 1001") },
    },
    {
      name: "a list that is too much to keep",
      before: [{ uses: "give", as: "big", config: { text: "x".repeat(600_000) } }],
      items: "${{ [outputs.big, outputs.big] }}",
      record: { status: "Errored", message: expect.stringMatching(/bytes are more than the \d+ allowed/) },
    },
    {
      name: "anything after a failure",
      before: [{ uses: "say", config: { fail: true } }],
      items: [1],
      record: { status: "Skipped" },
    },
  ])("runs nothing for $name, and says why", async ({ before, items, record }) => {
    const { records } = await runSteps([...before, { uses: "say", as: "each", forEach: { items } }], kinds);
    expect(records.at(-1)).toMatchObject({ alias: "each", ...record });
    expect(records).toHaveLength(before.length + 1);
  });
});

describe("a task for each item of a list", () => {
  const findTask = async () => ({
    steps: [
      { uses: "say", as: "render", config: { for: "${{ vars.region }}" } },
      { uses: "give", as: "push", config: { pushed: "${{ task.outputs.render.for }}" } },
    ],
  });
  const reference: PromotionStep = {
    task: { name: "deploy" },
    as: "deploy",
    forEach: { items: ["eu", "us"] },
    vars: [{ name: "region", value: "${{ vars.item }}" }],
  };

  it("runs its steps in order for each, and puts out what each puts out", async () => {
    const steps = await inflateSteps([reference], [], findTask);
    const { records, outputs } = await runSteps(steps, kinds);
    expect(told(records)).toEqual([
      "deploy[0]::render Succeeded",
      "deploy[0]::push Succeeded",
      "deploy[1]::render Succeeded",
      "deploy[1]::push Succeeded",
    ]);
    expect(outputs.deploy).toEqual([{ pushed: "eu" }, { pushed: "us" }]);
  });

  it("is refused where a step of it is for each item of a list already", async () => {
    const inner = async () => ({ steps: [{ uses: "say", forEach: { items: [1] } }] });
    await expect(inflateSteps([reference], [], inner)).rejects.toThrow("cannot be run with forEach itself");
    const [step] = await inflateSteps([{ task: { name: "deploy" }, as: "deploy" }], [], inner);
    expect(step).toMatchObject({ as: "deploy::step-1", forEach: { items: [1] } });
  });
});

describe("items at once", () => {
  it("are as many as allowed, and those that wait keep their places", async () => {
    const looks: string[] = [];
    const ready = new Set<string>();
    const wait: TestKind = ({ alias, config }: Invocation) => {
      looks.push(alias);
      return ready.has(alias) ? succeeded(config) : waiting("not yet", config.pause as number);
    };
    const step: PromotionStep = {
      uses: "wait",
      as: "w",
      forEach: { items: [30, 20, 10], concurrency: 2 },
      config: { pause: "${{ vars.item }}" },
    };
    const { progress, run, services } = await runSteps([step], { wait });
    expect(progress).toEqual({ state: "waiting", retryInSeconds: 20 });
    expect(looks.splice(0).sort()).toEqual(["w[0]", "w[1]"]);
    ready.add("w[1]");
    const signal = new AbortController().signal;
    expect(await advance(run, services, signal)).toEqual({ state: "waiting", retryInSeconds: 10 });
    expect(looks.splice(0).sort()).toEqual(["w[0]", "w[1]", "w[2]"]);
    ready.add("w[0]").add("w[2]");
    expect(await advance(run, services, signal)).toEqual({ state: "finished" });
    expect(looks.sort()).toEqual(["w[0]", "w[2]"]);
    expect(run.outputs.w).toEqual([{ pause: 30 }, { pause: 20 }, { pause: 10 }]);
  });
});

describe("a daemon that ends in the middle of a list", () => {
  it.each([1, 3])(
    "goes on with the items that are left, %i at once, though the list would be another by now",
    async (concurrency) => {
      const ran: string[] = [];
      const stop = new AbortController();
      let list = ["a", "hidden", "c"];
      const { store, services, run } = await runSteps(
        [
          { uses: "list", as: "find" },
          {
            uses: "work",
            as: "each",
            forEach: { items: "${{ outputs.find.list }}", concurrency },
            config: { got: "${{ vars.item }}" },
          },
        ],
        {
          list: () => succeeded({ list }),
          work: ({ alias, config }, { signal }) => {
            ran.push(alias);
            if (alias === "each[1]" && !stop.signal.aborted) {
              stop.abort();
              signal.throwIfAborted();
            }
            return succeeded(config);
          },
        },
        { signal: stop.signal, secrets: ["hidden"] },
      );
      list = ["x"];
      const promotion = (await store.get({
        kind: "Promotion",
        project: "shop",
        name: run.promotion,
      })) as never;
      const again = await openRun(store, services.masker, {
        promotion,
        freight: undefined,
        freightRequests: [],
        workspace: await testFolder(),
        uiBaseUrl: "",
      });
      expect(await advance(again, services, new AbortController().signal)).toEqual({ state: "finished" });
      expect(again.outputs.each).toEqual([{ got: "a" }, { got: "hidden" }, { got: "c" }]);
      expect(ran.filter((alias) => alias === "each[0]")).toHaveLength(1);
      expect(ran.filter((alias) => alias === "each[1]")).toHaveLength(2);
      expect(JSON.stringify(again.status.state)).not.toContain("hidden");
      expect(again.status.phase).toBe("Succeeded");
    },
  );
});
