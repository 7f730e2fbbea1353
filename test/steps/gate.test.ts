import { describe, expect, it } from "vitest";
import type { GateAnswer, GateRequest } from "#core/step.ts";
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
