import { describe, expect, it } from "vitest";
import type { GateAnswer, GateRequest } from "#core/gate.ts";
import type { Freight, FreightOrigin } from "#core/resources/freight.ts";
import type { StepContext, StepJob } from "#core/step.ts";
import gate from "#steps/gate.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const at = "2030-01-02T03:04:05.000Z";

function answering(answer: GateAnswer) {
  const asked: GateRequest[] = [];
  const context = fakeContext({
    gate: async (request) => {
      asked.push(request);
      return answer;
    },
  });
  return { asked, context };
}

describe("gate", () => {
  it.each([
    {
      answer: { state: "open" },
      config: { message: "Go?" },
      gives: { status: "waiting", message: "Go?", retryInSeconds: Infinity },
    },
    {
      answer: { state: "open", url: "https://t.example.com/gates/1" },
      config: { message: "Go?", timeout: "90s" },
      gives: { status: "waiting", message: "Go? (https://t.example.com/gates/1)", retryInSeconds: 90 },
    },
    {
      answer: { state: "released", by: "jo", at, message: "tested" },
      config: {},
      gives: { status: "succeeded", output: { decision: "released", by: "jo", at, message: "tested" } },
    },
    {
      answer: { state: "timedOut", at },
      config: { timeout: "1h", onTimeout: "release" },
      gives: {
        status: "succeeded",
        output: { decision: "timedOut", at },
        message: "Nobody answered within 1h",
      },
    },
  ] as const)("$answer with $config gives $gives.status", async ({ answer, config, gives }) => {
    expect(await runStep(gate, config, answering(answer).context)).toMatchObject(gives);
  });

  it.each([
    {
      answer: { state: "denied", by: "jo", at, message: "not on a Friday" },
      says: "Denied by jo: not on a Friday",
      output: { decision: "denied", by: "jo", at, message: "not on a Friday" },
    },
    {
      answer: { state: "denied", by: "jo", at },
      says: "Denied by jo",
      output: { decision: "denied", by: "jo", at },
    },
    {
      answer: { state: "timedOut", at },
      says: "Nobody answered within 1h",
      output: { decision: "timedOut", at },
    },
  ] as const)("$answer fails the step and tells why", async ({ answer, says, output }) => {
    await expect(runStep(gate, { timeout: "1h" }, answering(answer).context)).rejects.toMatchObject({
      kind: "failed",
      message: says,
      output,
    });
  });

  it("counts its time from when the step was first started", async () => {
    const { asked, context } = answering({ state: "open" });
    await runStep(gate, { message: "Go?", timeout: "1h" }, context);
    expect(asked).toEqual([{ message: "Go?", expiresAt: "2030-01-02T04:04:05.000Z" }]);
  });

  it.each([
    { allow: [{ user: "admin", role: "kargo-admin" }] },
    { allow: [{ user: "admin", claim: "a", value: "b" }] },
    { allow: [{ claim: "a" }] },
    { allow: [{}] },
    { allow: [{ user: "" }] },
  ])("refuses a rule that is none, or several: $allow", async (config) => {
    await expect(runStep(gate, config, answering({ state: "open" }).context)).rejects.toThrow(/allow/);
  });

  it("asks those alone whom it allows", async () => {
    const { asked, context } = answering({ state: "open" });
    await runStep(gate, { message: "Go?", allow: [{ role: "kargo-admin" }] }, context);
    expect(asked[0]?.asks).toEqual({
      kind: "approval",
      responders: [{ role: "kargo-admin" }],
      minApprovals: 1,
    });
  });
});

describe("a gate with a schedule", () => {
  // A Wednesday.
  const now = "2030-01-02T03:04:05.000Z";
  const origin: FreightOrigin = { kind: "Warehouse", name: "app" };
  const released: GateAnswer = { state: "released", by: "jo", at };
  const night = {
    name: "nights",
    dtstart: "20300101T220000Z",
    dtend: "20300102T040000Z",
    rrule: "FREQ=DAILY",
  };
  const day = { dtstart: "TZID=Europe/Berlin:20300102T090000", dtend: "TZID=Europe/Berlin:20300102T160000" };
  const weekday = { ...day, rrule: "FREQ=WEEKLY;BYDAY=TH,FR" };

  function at3(
    status: Freight["status"],
    sources: object = { stages: ["test", "qa"] },
  ): Partial<StepContext> {
    return {
      stage: "prod",
      targetFreight: { name: "f1", origin },
      freightRequests: [{ origin, sources }],
      resources: {
        get: async () => ({ kind: "Freight", status }) as never,
        setMetadata: async () => {},
        setFreightAlias: async () => {},
      },
    };
  }
  const verified = (test: string, qa?: string) =>
    at3({ verifiedIn: { test: { verifiedAt: test }, ...(qa && { qa: { verifiedAt: qa } }) } });

  const run = (
    schedule: object,
    context: Partial<StepContext> = {},
    config: object = {},
    answer = released,
  ) => runStep(gate, { schedule, ...config }, fakeContext({ ...answering(answer).context, ...context }));

  it.each<[string, object, Partial<StepContext>, number | "succeeded", RegExp?]>([
    [
      "before its time",
      { notBefore: "2030-01-02T04:14:05+01:00" },
      {},
      600,
      /not before 2030-01-02T04:14:05\+01:00/,
    ],
    ["at its time", { notBefore: now }, {}, "succeeded"],
    ["in its window", { windows: [night] }, {}, "succeeded"],
    [
      "in another window",
      { windows: [weekday] },
      {},
      28.9319 * 3600,
      /window "1" only, next from 2030-01-03T08/,
    ],
    ["in one of its windows", { windows: [weekday, night] }, {}, "succeeded"],
    [
      "in a window that forbids it",
      { windows: [{ ...night, kind: "Deny" }] },
      {},
      3355,
      /window "nights" denies it/,
    ],
    [
      "while its freight soaks",
      { soak: "24h" },
      verified("2030-01-01T04:04:05Z"),
      3600,
      /soaks until 2030-01-02T04:04/,
    ],
    ["after it has soaked", { soak: "24h" }, verified("2030-01-01T03:04:05Z"), "succeeded"],
    [
      "when it has soaked in one",
      { soak: "1h" },
      verified("2030-01-02T03:00:00Z", "2030-01-01T00:00:00Z"),
      "succeeded",
    ],
    ["before it is verified", { soak: "1h" }, at3({}), 60, /has to be verified and to soak for 1h/],
    ["when it was approved", { soak: "1h" }, at3({ approvedFor: { prod: {} } }), "succeeded"],
    [
      "when all but one holds",
      { soak: "1h", windows: [night], notBefore: "2030-01-03T00:00:00Z" },
      at3({}),
      75355,
    ],
  ])("that was released %s", async (_, schedule, context, gives, why = /./) => {
    for (const config of [{}, { ask: false }]) {
      const outcome = await run(schedule, context, config);
      if (gives === "succeeded") expect(outcome).toMatchObject({ status: "succeeded" });
      else {
        expect(outcome).toMatchObject({ status: "waiting", message: expect.stringMatching(why) });
        expect((outcome as { retryInSeconds: number }).retryInSeconds).toBeCloseTo(gives, -1);
      }
    }
  });

  it("tells who released it while it waits, and later steps after it", async () => {
    expect(await run({ notBefore: "2031-01-01T00:00:00Z" })).toMatchObject({
      status: "waiting",
      message: "Released by jo, and goes on when its time has come: not before 2031-01-01T00:00:00Z",
      output: { decision: "released", by: "jo" },
    });
  });

  it("opens no gate where nobody is asked, and is denied at once where somebody is", async () => {
    const { asked, context } = answering({ state: "open" });
    await runStep(gate, { ask: false, schedule: { notBefore: "2031-01-01T00:00:00Z" } }, context);
    expect(asked).toEqual([]);
    const denied: GateAnswer = { state: "denied", by: "jo", at };
    await expect(run({ notBefore: "2031-01-01T00:00:00Z" }, {}, {}, denied)).rejects.toThrow("Denied by jo");
  });

  it.each<[object, Partial<StepContext>, RegExp]>([
    [{ schedule: { windows: [{ dtstart: "tomorrow" }] } }, {}, /windows.0.dtstart.*"tomorrow" is no date/],
    [{ schedule: { windows: [{ ...day, rrule: "FREQ=SOMETIMES" }] } }, {}, /rrule/],
    [{ schedule: { notBefore: "monday" } }, {}, /notBefore/],
    [{ schedule: { soak: "5 days" } }, {}, /soak: expected a duration such as (?!.*less than nothing)/s],
    [{ schedule: { soak: "-5m" } }, {}, /soak/],
    [{ ask: false }, {}, /schedule: is needed where ask is false/],
    [{ schedule: { windows: [{ dtend: "20290101T000000Z" }] } }, {}, /do not open any more/],
    [{ schedule: { soak: "1h" } }, at3({}, { direct: true }), /from its Warehouse and from no stage/],
  ])("%j is refused", async (config, context, why) => {
    const whole = fakeContext({ ...answering(released).context, ...context });
    await expect(runStep(gate, config, whole)).rejects.toThrow(why);
  });
});

describe("a gate with a command", () => {
  const command = { image: "registry.example.com/check:1", args: ["--strict"], env: { LEVEL: "high" } };

  async function run(exitCode: number, states: GateAnswer[], config: object = {}) {
    const asked: GateRequest[] = [];
    const jobs: StepJob[] = [];
    const context = fakeContext({
      stage: "prod",
      gate: async (request) => {
        asked.push(request);
        return states[Math.min(asked.length, states.length) - 1] as GateAnswer;
      },
      runJob: async (job) => {
        jobs.push(job);
        return { exitCode, message: exitCode === 0 ? "" : "not quiet" };
      },
    });
    const outcome = runStep(gate, { message: "Quiet?", command, ...config }, context);
    return { outcome: await outcome.catch((error: Error) => error), asked, jobs };
  }

  it.each([
    { exitCode: 0, verdict: { decision: "released", by: "command" } },
    { exitCode: 1, verdict: { decision: "denied", by: "command", message: "not quiet" } },
    { exitCode: 137, verdict: { decision: "denied", by: "command", message: "not quiet" } },
  ])("answers as the command ends: $exitCode", async ({ exitCode, verdict }) => {
    const answered = { ...verdict, state: verdict.decision, at, via: "command" } as unknown as GateAnswer;
    const { outcome, asked, jobs } = await run(exitCode, [{ state: "open" }, answered]);
    expect(asked.map((request) => request.verdict)).toEqual([undefined, verdict]);
    expect(jobs).toMatchObject([
      {
        image: "registry.example.com/check:1",
        args: ["--strict"],
        env: { LEVEL: "high", GATE_STAGE: "prod", GATE_STEP: "step-1", GATE_MESSAGE: "Quiet?" },
      },
    ]);
    if (exitCode === 0) expect(outcome).toMatchObject({ status: "succeeded", output: { via: "command" } });
    else expect(outcome).toMatchObject({ kind: "failed", message: "Denied by command: not quiet" });
  });

  it("asks again after a while when the command does not know yet, and never past the gate's time", async () => {
    const { outcome, asked } = await run(75, [{ state: "open" }], { command: { ...command, every: "5m" } });
    expect(outcome).toMatchObject({ status: "waiting", retryInSeconds: 300 });
    expect(asked).toHaveLength(1);
    const soon = await run(75, [{ state: "open" }], { timeout: "10s" });
    expect(soon.outcome).toMatchObject({ status: "waiting", retryInSeconds: 10 });
  });

  it("goes by whoever answered while the command ran, and does not run it once somebody has", async () => {
    const released: GateAnswer = { state: "released", by: "jo", at, via: "page" };
    const meanwhile = await run(1, [{ state: "open" }, released]);
    expect(meanwhile.outcome).toMatchObject({ status: "succeeded", output: { by: "jo" } });
    expect((await run(1, [released])).jobs).toEqual([]);
  });

  it.each([
    { config: { ask: false, schedule: {} }, why: /command: answers a gate/ },
    { config: { command: { ...command, every: "1ms" } }, why: /at least 1s/ },
    { config: { command: { ...command, env: { "a=b": "c" } } }, why: /env/ },
  ])("$why is told", async ({ config, why }) => {
    expect(String((await run(0, [{ state: "open" }], config)).outcome)).toMatch(why);
  });
});
