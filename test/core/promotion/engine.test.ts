import { describe, expect, it } from "vitest";
import { StepFailure } from "#core/failure.ts";
import { advance } from "#core/promotion/engine.ts";
import { openRun } from "#core/promotion/open-run.ts";
import type { PromotionStep, StepExecutionMetadata } from "#core/resources/promotion.ts";
import { skipped, succeeded, waiting } from "#core/step.ts";
import {
  openTestStore,
  runSteps,
  storePromotion,
  type TestKind,
  testClock,
  testServices,
} from "./support.ts";

const good: TestKind = () => succeeded({ key: "value" });
const fails = (kind: ConstructorParameters<typeof StepFailure>[0]): TestKind => {
  return () => {
    throw new StepFailure(kind, "the bridge is up");
  };
};

const kinds: Record<string, TestKind> = {
  good,
  skips: () => skipped("nothing to do", { key: "value" }),
  waits: () => waiting("not there yet", 20),
  says: ({ config }) => succeeded({ ...config }),
  errored: fails("errored"),
  refused: fails("refused"),
  failed: fails("failed"),
  unsuccessful: fails("unsuccessful"),
  breaks: () => {
    throw new TypeError("no such property");
  },
};

const statuses = (records: readonly StepExecutionMetadata[]) => records.map(({ status }) => status);

describe("the outcome of steps", () => {
  it.each([
    { steps: ["good", "good"], statuses: ["Succeeded", "Succeeded"], phase: "Succeeded", message: undefined },
    {
      steps: ["skips", "good"],
      statuses: ["Skipped", "Succeeded"],
      phase: "Succeeded",
      message: "nothing to do",
    },
    {
      steps: ["good", "errored", "good"],
      statuses: ["Succeeded", "Errored", "Skipped"],
      phase: "Errored",
      message: 'step "step-2" met error threshold of 1: error running step "step-2": the bridge is up',
    },
    {
      steps: ["unsuccessful"],
      statuses: ["Failed"],
      phase: "Failed",
      message: 'step "step-1" met error threshold of 1: step "step-1": the bridge is up',
    },
    {
      steps: ["refused"],
      statuses: ["Errored"],
      phase: "Errored",
      message: 'an unrecoverable error occurred: error running step "step-1": the bridge is up',
    },
    { steps: ["failed"], statuses: ["Failed"], phase: "Failed", message: 'step "step-1": the bridge is up' },
    {
      steps: ["breaks"],
      statuses: ["Errored"],
      phase: "Errored",
      message: 'step "step-1" met error threshold of 1: error running step "step-1": no such property',
    },
    {
      steps: ["god"],
      statuses: ["Errored"],
      phase: "Errored",
      message: 'step kind "god" is not registered; did you mean "good"?',
    },
  ])("of $steps is $phase", async ({ steps, statuses: expected, phase, message }) => {
    const { status, records, progress } = await runSteps(
      steps.map((uses) => ({ uses })),
      kinds,
    );
    expect(progress).toEqual({ state: "finished" });
    expect(statuses(records)).toEqual(expected);
    expect({ phase: status.phase, message: status.message }).toEqual({ phase, message });
    expect(status.finishedAt).toBeDefined();
    expect(status.currentStep).toBe(steps.length - 1);
  });

  it("has times where a step was run and none where it was not", async () => {
    const { records } = await runSteps(
      [{ uses: "failed" }, { uses: "good" }, { uses: "nothing", if: "${{ always() }}" }],
      kinds,
    );
    expect(
      records.map(({ startedAt, finishedAt }) => [startedAt !== undefined, finishedAt !== undefined]),
    ).toEqual([
      [true, true],
      [false, false],
      [false, false],
    ]);
  });

  it("is told of steps by their place where nobody named them", async () => {
    const store = await openTestStore();
    const services = await testServices(store, kinds);
    const promotion = await storePromotion(store, []);
    promotion.spec.steps = [{ uses: "good" }, { uses: "good" }];
    const sources = { promotion, freight: undefined, freightRequests: [], workspace: "/", uiBaseUrl: "" };
    const run = await openRun(store, services.masker, sources);
    await advance(run, services, new AbortController().signal);
    expect(run.status.stepExecutionMetadata?.map(({ alias, status }) => [alias, status])).toEqual([
      ["step-1", "Succeeded"],
      ["step-2", "Succeeded"],
    ]);
  });

  it("is an end for a step whose kind has gone since it was started", async () => {
    const { records } = await runSteps([{ uses: "gone" }], kinds, {
      status: {
        stepExecutionMetadata: [{ alias: "step-1", status: "Running", startedAt: "2030-01-02T03:04:00Z" }],
      },
    });
    expect(records[0]).toMatchObject({ status: "Errored", finishedAt: expect.anything() });
  });

  it("keeps what each step put out, also of one that failed or was skipped by itself", async () => {
    const { outputs, status } = await runSteps(
      [
        { uses: "good" },
        { uses: "skips" },
        { uses: "informs", continueOnError: true },
        { uses: "errored", continueOnError: true },
        { uses: "good", if: "${{ false }}" },
      ],
      {
        ...kinds,
        informs: () => {
          throw new StepFailure("failed", "no", { output: { seen: 3 } });
        },
      },
    );
    const expected = {
      "step-1": { key: "value" },
      "step-2": { key: "value" },
      "step-3": { seen: 3 },
      "step-4": null,
    };
    expect(outputs).toEqual(expected);
    expect(status.state).toEqual(expected);
  });

  it("refuses an output that is larger than allowed", async () => {
    const { records, outputs } = await runSteps(
      [{ uses: "says", config: { text: "x".repeat(200) } }],
      kinds,
      { services: { settings: { maxOutputBytes: 100, graceSeconds: 1, lastLookSeconds: 1 } } },
    );
    expect(records[0]).toMatchObject({ status: "Errored" });
    expect(records[0]?.message).toMatch(/output of step "step-1": 211 bytes are more than the 100 allowed/);
    expect(outputs["step-1"]).toBeNull();
  });

  it("refuses an output that is no JSON", async () => {
    const { records } = await runSteps([{ uses: "big" }], { big: () => succeeded({ size: 1n }) });
    expect(records[0]).toMatchObject({ status: "Errored" });
    expect(records[0]?.message).toMatch(/output of step "step-1": it is no JSON: /);
  });

  it("is not changed by what a step does to its output later", async () => {
    const kept: Record<string, unknown> = { list: [1] };
    const { outputs } = await runSteps([{ uses: "gives" }, { uses: "changes" }], {
      gives: () => succeeded(kept),
      changes: () => {
        (kept.list as number[]).push(2);
        return succeeded();
      },
    });
    expect(outputs["step-1"]).toEqual({ list: [1] });
  });

  it("collects the health checks of steps that succeeded", async () => {
    const healthCheck = { uses: "argocd", config: { app: "shop" } };
    const { status } = await runSteps([{ uses: "checked" }, { uses: "good" }, { uses: "checked" }], {
      good,
      checked: () => succeeded({}, { healthCheck }),
    });
    expect(status.healthChecks).toEqual([healthCheck, healthCheck]);
  });
});

describe("conditions", () => {
  const ran = (condition: string, ...before: PromotionStep[]) =>
    runSteps([...before, { uses: "good", as: "last", if: condition || undefined }], kinds).then(
      ({ records }) => records.at(-1)?.status,
    );
  const failing = { uses: "failed", as: "first" };
  const excused = { ...failing, continueOnError: true };

  it.each([
    { if: "", before: [{ uses: "good" }], gives: "Succeeded" },
    { if: "", before: [failing], gives: "Skipped" },
    { if: "", before: [excused], gives: "Succeeded" },
    { if: "", before: [{ uses: "skips" }], gives: "Succeeded" },
    { if: "${{ always() }}", before: [failing], gives: "Succeeded" },
    { if: "${{ failure() }}", before: [failing], gives: "Succeeded" },
    { if: "${{ failure() }}", before: [excused], gives: "Skipped" },
    { if: "${{ success() }}", before: [failing], gives: "Skipped" },
    { if: "${{ success() }}", before: [excused], gives: "Succeeded" },
    { if: "${{ status('first') == 'Failed' }}", before: [excused], gives: "Succeeded" },
    { if: "${{ status('nobody') == '' }}", before: [excused], gives: "Succeeded" },
    { if: "${{ false }}", before: [], gives: "Skipped" },
  ])('"$if" after $before gives $gives', async ({ if: condition, before, gives }) => {
    expect(await ran(condition, ...before)).toBe(gives);
  });

  it.each([
    { if: "${{ bogus() }}", says: /error checking if step "step-1" should be skipped: / },
    { if: "${{ 1 + 1 }}", says: /expression must evaluate to a boolean, got float64/ },
    { if: "true", says: /expression must evaluate to a boolean, got string/ },
  ])("$if is an error, and the step is not started", async ({ if: condition, says }) => {
    const { records, status } = await runSteps([{ uses: "good", if: condition }, { uses: "good" }], kinds);
    expect(records[0]).toMatchObject({ status: "Errored", message: expect.stringMatching(says) });
    expect(records[0]?.startedAt).toBeUndefined();
    expect(records[1]?.status).toBe("Skipped");
    expect(status.phase).toBe("Errored");
  });

  it("of a step that failed and is tried again do not look at its own failure", async () => {
    const { records } = await runSteps([{ uses: "good" }], kinds, {
      status: {
        phase: "Running",
        currentStep: 0,
        stepExecutionMetadata: [
          {
            alias: "step-1",
            status: "Failed",
            startedAt: "2030-01-02T03:04:00Z",
            errorCount: 1,
            message: "no; step will be retried",
          },
        ],
      },
    });
    expect(records[0]).toMatchObject({ status: "Succeeded", startedAt: "2030-01-02T03:04:00Z" });
    expect(records[0]?.message).toBeUndefined();
  });
});

describe("steps that may fail", () => {
  it.each([
    { steps: [{ uses: "failed", continueOnError: true }, { uses: "good" }], phase: "Succeeded" },
    { steps: [{ uses: "failed" }, { uses: "errored", if: "${{ always() }}" }], phase: "Errored" },
    { steps: [{ uses: "errored", continueOnError: true }, { uses: "failed" }], phase: "Failed" },
  ])("$steps make the promotion $phase", async ({ steps, phase }) => {
    const { status, records } = await runSteps(steps, kinds);
    expect(status.phase).toBe(phase);
    expect(records.map(({ continueOnError }) => continueOnError ?? false)).toEqual(
      steps.map((step) => ("continueOnError" in step ? step.continueOnError : false)),
    );
  });
});

describe("variables and configuration", () => {
  it("give a step what the promotion, earlier steps and its own variables say", async () => {
    const { outputs } = await runSteps(
      [
        { uses: "good", as: "first" },
        {
          uses: "says",
          as: "second",
          vars: [
            { name: "b", value: "own ${{ vars.a }}" },
            { name: "c", value: "${{ outputs.first.key }}" },
          ],
          config: {
            b: "${{ vars.b }}",
            list: ["${{ vars.c }}", "${{ ctx.stage }}/${{ ctx.meta.step.alias }}"],
            number: "${{ 40 + 2 }}",
          },
        },
      ],
      kinds,
      {
        vars: [
          { name: "a", value: "${{ ctx.project }}" },
          { name: "b", value: "hidden" },
        ],
      },
    );
    expect(outputs.second).toEqual({ b: "own shop", list: ["value", "test/second"], number: 42 });
  });

  it("keep outputs out of the promotion's variables", async () => {
    const { records } = await runSteps([{ uses: "says", config: { a: "${{ vars.a }}" } }], kinds, {
      vars: [{ name: "a", value: "${{ outputs.first }}" }],
    });
    expect(records[0]).toMatchObject({ status: "Errored" });
    expect(records[0]?.message).toMatch(
      /^failed to build step context: failed to get step config: error pre-processing promotion variable "a": /,
    );
  });

  it("hand the steps of a task each other's outputs, and the promotion what the task put out", async () => {
    const { outputs } = await runSteps(
      [
        { uses: "good", as: "task-1::first" },
        { uses: "composes", as: "task-1::out", config: { found: "${{ task.outputs.first.key }}" } },
        { uses: "says", as: "after", config: { task: "${{ outputs['task-1'].found }}" } },
        { uses: "composes", as: "alone", config: { x: 1 } },
      ],
      { ...kinds, composes: { run: ({ config }) => succeeded({ ...config }), taskOutput: true } },
    );
    expect(outputs).toEqual({
      "task-1::first": { key: "value" },
      "task-1::out": { found: "value" },
      "task-1": { found: "value" },
      after: { task: "value" },
      alone: { x: 1 },
    });
  });
});

describe("a step that waits", () => {
  it("is Running, and tells when to come back", async () => {
    const { progress, records, status, store, run } = await runSteps(
      [{ uses: "good" }, { uses: "waits" }],
      kinds,
    );
    expect(progress).toEqual({ state: "waiting", retryInSeconds: 20 });
    expect(records[1]).toMatchObject({ status: "Running", message: "not there yet" });
    expect(status).toMatchObject({ currentStep: 1 });
    const stored = await store.get({ kind: "Promotion", project: "shop", name: run.promotion });
    expect(stored?.status).toEqual(status);
  });

  it.each([
    { asks: 0, gives: 1 },
    { asks: Infinity, gives: Infinity },
    { asks: 90, timeout: "1m", gives: 60 },
    { asks: Infinity, timeout: "1h", gives: 3600 },
  ])(
    "that asks for $asks s with time-out $timeout comes back in $gives s",
    async ({ asks, timeout, gives }) => {
      const { progress } = await runSteps([{ uses: "waits", retry: { timeout } }], {
        waits: () => waiting("", asks),
      });
      expect(progress).toEqual({ state: "waiting", retryInSeconds: gives });
    },
  );
});

describe("retries", () => {
  const started = (seconds: number, more: Partial<StepExecutionMetadata> = {}) => ({
    phase: "Running" as const,
    stepExecutionMetadata: [
      {
        alias: "step-1",
        status: "Running" as const,
        startedAt: new Date(testClock().now().getTime() - seconds * 1000).toISOString(),
        ...more,
      },
    ],
  });

  it("go on until the threshold is met", async () => {
    const step = { uses: "errored", retry: { errorThreshold: 3 } };
    const first = await runSteps([step], kinds);
    expect(first.progress).toEqual({ state: "waiting", retryInSeconds: 1 });
    expect(first.records[0]).toMatchObject({
      status: "Errored",
      errorCount: 1,
      message: 'error running step "step-1": the bridge is up; step will be retried',
    });
    expect(first.records[0]?.finishedAt).toBeUndefined();

    const last = await runSteps([step], kinds, { status: started(10, { status: "Errored", errorCount: 2 }) });
    expect(last.progress).toEqual({ state: "finished" });
    expect(last.records[0]).toMatchObject({
      errorCount: 3,
      message: 'step "step-1" met error threshold of 3: error running step "step-1": the bridge is up',
    });
  });

  it("take the step's own threshold and time-out where the template has none", async () => {
    const { progress, records } = await runSteps([{ uses: "own" }], {
      own: { run: kinds.errored as () => never, defaultErrorThreshold: 2, defaultTimeoutSeconds: 5 },
    });
    expect(progress.state).toBe("waiting");
    const later = await runSteps(
      [{ uses: "own" }],
      {
        own: { run: () => waiting("", 60), defaultTimeoutSeconds: 5 },
      },
      { status: started(6) },
    );
    expect(records[0]?.errorCount).toBe(1);
    expect(later.records[0]?.message).toBe('step "step-1" timed out after 5s');
  });

  it.each([
    { uses: "waits", counts: undefined },
    { uses: "errored", counts: 1 },
  ])("end when the time of $uses is up", async ({ uses, counts }) => {
    const { records, status } = await runSteps(
      [{ uses, retry: { errorThreshold: 3, timeout: "1h" } }],
      kinds,
      {
        status: started(3600),
      },
    );
    expect(records[0]).toMatchObject({ status: "Errored", message: 'step "step-1" timed out after 1h0m0s' });
    expect(records[0]?.errorCount).toBe(counts);
    expect(status).toMatchObject({ phase: "Errored", message: 'step "step-1" timed out after 1h0m0s' });
  });

  it("look once more after the time is up, and take what they find", async () => {
    const { records } = await runSteps([{ uses: "good", retry: { timeout: "1h" } }], kinds, {
      status: started(7200),
    });
    expect(records[0]?.status).toBe("Succeeded");
  });

  it("cut an attempt short when its time is up", async () => {
    const { records } = await runSteps([{ uses: "hangs", retry: { timeout: "20ms" } }], {
      hangs: (_, { signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    });
    expect(records[0]).toMatchObject({ status: "Errored", message: 'step "step-1" timed out after 20ms' });
  });

  it("do not wait for ever for a step that does not listen", async () => {
    const { records } = await runSteps(
      [{ uses: "deaf", retry: { timeout: "20ms" } }],
      { deaf: () => new Promise(() => undefined) },
      { services: { settings: { maxOutputBytes: 1e6, graceSeconds: 0.02, lastLookSeconds: 1 } } },
    );
    expect(records[0]?.message).toBe('step "step-1" timed out after 20ms');
  });

  it("of transient failures are not counted until they have not helped", async () => {
    const clock = testClock();
    const pauses: number[] = [];
    const attempts: number[] = [];
    const busy: Record<string, TestKind> = {
      busy: ({ attempt }) => {
        attempts.push(attempt);
        throw new StepFailure("transient", "503");
      },
    };
    const { run, services, records, progress } = await runSteps(
      [{ uses: "busy", retry: { errorThreshold: 2 } }],
      busy,
      {
        services: { now: clock.now },
      },
    );
    let now = progress;
    while (now.state === "waiting" && pauses.length < 50) {
      pauses.push(now.retryInSeconds);
      expect(records[0]?.errorCount ?? 0).toBeLessThan(2);
      clock.passes(now.retryInSeconds);
      now = await advance(run, services, new AbortController().signal);
    }
    const schedule = [1, 2, 5, 15, 30];
    expect(pauses).toEqual([...schedule, 1, ...schedule]);
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(records[0]).toMatchObject({ status: "Errored", errorCount: 2 });
    expect(records[0]?.message).toMatch(/met error threshold of 2: .*503/);
  });

  it("of transient failures begin anew once the step got further", async () => {
    let calls = 0;
    const { run, services, progress } = await runSteps([{ uses: "moody" }], {
      moody: () => {
        calls += 1;
        if (calls % 2 === 1) throw new StepFailure("transient", "503");
        return calls > 20 ? succeeded() : waiting("polling", 1);
      },
    });
    let now = progress;
    while (now.state === "waiting") now = await advance(run, services, new AbortController().signal);
    expect(run.status.stepExecutionMetadata?.[0]).toMatchObject({ status: "Succeeded" });
    expect(calls).toBe(22);
  });
});

describe("an interruption", () => {
  it("leaves a step that was under way to be resumed", async () => {
    const stop = new AbortController();
    const { progress, records, store, run } = await runSteps(
      [{ uses: "stops" }, { uses: "good" }],
      {
        good,
        stops: (_, { signal }) => {
          stop.abort(new Error("stopping"));
          signal.throwIfAborted();
          return succeeded();
        },
      },
      { signal: stop.signal },
    );
    expect(progress).toEqual({ state: "interrupted" });
    expect(statuses(records)).toEqual(["Running"]);
    const stored = await store.get({ kind: "Promotion", project: "shop", name: run.promotion });
    expect(stored?.status).toMatchObject({ currentStep: 0, stepExecutionMetadata: [{ status: "Running" }] });
  });

  it("starts no step once the daemon is about to stop", async () => {
    let isStopping = false;
    const stops: TestKind = () => {
      isStopping = true;
      return succeeded();
    };
    const { progress, records, store, run } = await runSteps(
      [{ uses: "stops" }, { uses: "good" }],
      { good, stops },
      { services: { stopping: () => isStopping } },
    );
    expect(progress).toEqual({ state: "interrupted" });
    expect(statuses(records)).toEqual(["Succeeded"]);
    const stored = await store.get({ kind: "Promotion", project: "shop", name: run.promotion });
    expect(stored?.status).toMatchObject({
      currentStep: 1,
      stepExecutionMetadata: [{ status: "Succeeded" }],
    });
  });

  it("does not lose a step that was finished all the same", async () => {
    const stop = new AbortController();
    const { progress, store, run } = await runSteps(
      [{ uses: "stops" }, { uses: "good" }],
      {
        good,
        stops: () => {
          stop.abort(new Error("stopping"));
          return succeeded({ done: true });
        },
      },
      { signal: stop.signal },
    );
    expect(progress).toEqual({ state: "interrupted" });
    const stored = await store.get({ kind: "Promotion", project: "shop", name: run.promotion });
    expect(stored?.status).toMatchObject({
      currentStep: 1,
      stepExecutionMetadata: [{ status: "Succeeded" }],
      state: { "step-1": { done: true } },
    });
  });
});

describe("secrets", () => {
  it("are masked in messages, outputs and logs, and later steps still get them", async () => {
    const secret = "s3cr3t-token";
    const { store, run, records, outputs } = await runSteps(
      [
        { uses: "logs-in", as: "login" },
        { uses: "says", as: "uses", config: { auth: "Bearer ${{ outputs.login.token }}" } },
        { uses: "tells", as: "tells", continueOnError: true },
      ],
      {
        ...kinds,
        "logs-in": (_, io) => {
          io.log({ stream: "stdout", text: `token is ${secret}` });
          return succeeded({ token: secret });
        },
        tells: () => {
          throw new StepFailure("failed", `server said: ${secret} is wrong`);
        },
      },
      { secrets: [secret] },
    );
    expect(outputs).toMatchObject({ login: { token: secret }, uses: { auth: `Bearer ${secret}` } });
    expect(records[2]?.message).toBe('step "tells": server said: *** is wrong');
    await run.save();
    const ref = { kind: "Promotion", project: "shop", name: run.promotion };
    const promotion = await store.get(ref);
    expect(promotion?.status).toMatchObject({
      state: { login: { token: "***" }, uses: { auth: "Bearer ***" } },
    });
    expect(JSON.stringify(promotion)).not.toContain(secret);
    const [line] = await store.readLog({ project: "shop", promotion: run.promotion, step: "login" }, 0);
    expect(line).toMatchObject({ stream: "stdout", text: "token is ***" });
  });
});
