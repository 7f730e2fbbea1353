import { describe, expect, it } from "vitest";
import type { GateAnswer, GateRequest } from "#core/gate.ts";
import getUserInput from "#steps/get-user-input.ts";
import waitForApproval from "#steps/wait-for-approval.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const at = "2030-01-02T03:04:05.000Z";
const responses = [{ user: "jo", action: "approve" as const, time: at, message: "tested" }];

function answering(answer: GateAnswer, actor = "") {
  const asked: GateRequest[] = [];
  const gate = async (request: GateRequest) => {
    asked.push(request);
    return answer;
  };
  return { asked, context: fakeContext({ gate, actor }) };
}

describe("wait-for-approval", () => {
  it.each([
    { config: {}, answer: { state: "open" }, gives: { status: "waiting", retryInSeconds: Infinity } },
    {
      config: { minApprovals: 2, pollInterval: "45s" },
      answer: { state: "open", responses },
      gives: { status: "waiting", retryInSeconds: 45, message: "Waiting for approval: 1 of 2 approvals" },
    },
    {
      config: {},
      answer: { state: "released", by: "jo", at, responses },
      gives: { status: "succeeded", output: { responses } },
    },
  ] as const)("$answer.state with $config gives $gives.status", async ({ config, answer, gives }) => {
    expect(await runStep(waitForApproval, config, answering(answer as GateAnswer).context)).toMatchObject(
      gives,
    );
  });

  it("fails with the whole trail when somebody rejects", async () => {
    const trail = [...responses, { user: "kim", action: "reject" as const, time: at }];
    const { context } = answering({ state: "denied", by: "kim", at, message: "no", responses: trail });
    await expect(runStep(waitForApproval, {}, context)).rejects.toMatchObject({
      kind: "failed",
      message: "Rejected by kim: no",
      output: { responses: trail },
    });
  });

  it.each([
    { excludePromoter: true, excluded: "jo" },
    { excludePromoter: false, excluded: undefined },
  ])("asks with excludePromoter $excludePromoter", async ({ excludePromoter, excluded }) => {
    const { asked, context } = answering({ state: "open" }, "jo");
    await runStep(waitForApproval, { approvers: [{ role: "lead" }], excludePromoter }, context);
    expect(asked[0]?.asks).toEqual({
      kind: "approval",
      responders: [{ role: "lead", required: false }],
      minApprovals: 1,
      ...(excluded && { excluded }),
    });
  });

  it.each([
    { minApprovals: 0 },
    { pollInterval: "soon" },
    { approvers: [{}] },
    { approvers: [{ claim: "groups" }] },
    { approvers: [{ value: "leads" }] },
    { approvers: [{ claim: "groups", value: "leads", role: "lead" }] },
    { approvers: [{ claim: "groups", role: "lead" }] },
  ])("refuses %j", async (config) => {
    await expect(runStep(waitForApproval, config)).rejects.toMatchObject({ kind: "config" });
  });
});

describe("get-user-input", () => {
  const schema = { type: "object", properties: { note: { type: "string" } } };

  it("waits, and then gives what was filled in", async () => {
    const { asked, context } = answering({ state: "open" });
    expect(await runStep(getUserInput, { schema, display: "A note?" }, context)).toMatchObject({
      status: "waiting",
      message: "A note?",
      retryInSeconds: Infinity,
    });
    expect(asked).toEqual([{ message: "A note?", asks: { kind: "input", responders: [], schema } }]);
    const answered = answering({ state: "released", by: "jo", at, values: { note: "hi" } }).context;
    expect(await runStep(getUserInput, { schema }, answered)).toMatchObject({
      status: "succeeded",
      output: { values: { note: "hi" }, respondedBy: "jo", respondedAt: at },
    });
  });

  it.each([
    {},
    { schema: { type: "string" } },
    { schema: { type: "object", properties: { a: { type: "text" } } } },
    { schema, responders: [{ role: "lead", required: true }] },
  ])("refuses %j", async (config) => {
    await expect(runStep(getUserInput, config)).rejects.toMatchObject({ kind: "config" });
  });
});
