import { describe, expect, it } from "vitest";
import { UserError } from "#core/failure.ts";
import type { AnsweredGate, GateQuestion } from "#core/gate.ts";
import { answerByStep } from "#core/promotion/answer-by-step.ts";
import { askGate, createGates } from "#core/promotion/gates.ts";
import type { Store } from "#core/store/store.ts";
import answerGate from "#steps/answer-gate.ts";
import { openTestStore, testClock } from "#test/core/promotion/support.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const now = testClock().now;

/** The stage prod has a promotion of freight f1 under way, which waits at the gate "checks". */
async function waitingStage(asks?: GateQuestion): Promise<Store> {
  const store = await openTestStore(":memory:", now);
  const metadata = (name: string) => ({ name, namespace: "shop" });
  const apiVersion = "kargo.akuity.io/v1alpha1";
  const [, promotion] = await store.write([
    {
      op: "create",
      resource: {
        ...{ apiVersion, kind: "Stage", metadata: metadata("prod"), spec: {} },
        status: { currentPromotion: { name: "prod.1" } },
      },
    },
    {
      op: "create",
      resource: {
        apiVersion,
        kind: "Promotion",
        metadata: metadata("prod.1"),
        spec: { stage: "prod", freight: "f1" },
      },
    },
  ]);
  const promotionUid = promotion?.metadata.uid ?? "";
  const owner = { project: "shop", stage: "prod", promotion: "prod.1", promotionUid, alias: "checks" };
  await askGate(store, owner, { message: "Checked?", asks }, now());
  return store;
}

const own = { project: "shop", stage: "checks", promotion: "checks.7", alias: "tell", freight: "f1" };
const answer = {
  stage: "prod",
  step: "checks",
  decision: "release",
  message: "green",
  anyFreight: false,
} as const;
const gateIn = (store: Store) => createGates(store, now).get("shop", "prod.1", "checks");

describe("an answer of another stage", () => {
  it.each([
    { decision: "release", state: "released" },
    { decision: "deny", state: "denied" },
  ] as const)("can $decision, is on record, and counts once", async ({ decision, state }) => {
    const store = await waitingStage();
    expect(await answerByStep(store, own, { ...answer, decision }, now())).toEqual({ state: "answered" });
    expect(await answerByStep(store, own, { ...answer, decision }, now())).toEqual({ state: "answered" });
    expect(await gateIn(store)).toMatchObject({ state, by: "stage:checks", answer: "green", via: "step" });
    expect(await store.audit({})).toMatchObject([
      { actor: "stage:checks", details: { "by-step": "checks.7/tell" } },
    ]);
    const late = await answerByStep(store, { ...own, promotion: "checks.8" }, answer, now());
    expect(late).toEqual({ state: "decided", how: state, by: "stage:checks" });
  });

  it.each([
    { what: "other freight", from: { ...own, freight: "f2" }, to: answer, why: /has other freight/ },
    {
      what: "a gate that is not open",
      from: own,
      to: { ...answer, step: "ask" },
      why: /"ask" of "prod" is not open/,
    },
    { what: "a stage at rest", from: own, to: { ...answer, stage: "qa" }, why: /"qa" has no promotion/ },
    { what: "another project", from: { ...own, project: "other" }, to: answer, why: /no promotion/ },
  ])("answers nothing for $what", async ({ from, to, why }) => {
    const store = await waitingStage();
    const answered = await answerByStep(store, from, to, now());
    expect(answered).toEqual({ state: "closed", why: expect.stringMatching(why) });
    expect(await gateIn(store)).toMatchObject({ state: "open" });
  });

  it("answers whatever waits there if it is told so", async () => {
    const store = await waitingStage();
    const answered = await answerByStep(
      store,
      { ...own, freight: "f2" },
      { ...answer, anyFreight: true },
      now(),
    );
    expect(answered).toEqual({ state: "answered" });
  });

  it.each([
    { rule: { claim: "sub", value: "stage:checks" }, counts: true },
    { rule: { claim: "sub", value: "stage:other" }, counts: false },
    { rule: { role: "kargo-promoter" }, counts: false },
  ])("is one of those whom a gate asks by $rule: $counts", async ({ rule, counts }) => {
    const store = await waitingStage({ kind: "approval", minApprovals: 2, responders: [rule] });
    const answered = answerByStep(store, own, answer, now());
    if (!counts) await expect(answered).rejects.toThrow(UserError);
    else {
      expect(await answered).toEqual({ state: "answered" });
      expect(await answerByStep(store, own, answer, now())).toEqual({ state: "answered" });
      expect((await gateIn(store))?.responses).toHaveLength(1);
    }
  });
});

describe("answer-gate", () => {
  const run = (answered: AnsweredGate | Error, config: object = {}) =>
    runStep(
      answerGate,
      { stage: "prod", step: "checks", ...config },
      fakeContext({
        answerGate: async () => {
          if (answered instanceof Error) throw answered;
          return answered;
        },
      }),
    );
  const closed: AnsweredGate = { state: "closed", why: "nobody waits" };
  const decided: AnsweredGate = { state: "decided", how: "denied", by: "jo" };

  it.each([
    { answered: { state: "answered" }, config: {}, gives: { status: "succeeded" } },
    {
      answered: closed,
      config: {},
      gives: { status: "waiting", message: "Waiting to answer: nobody waits" },
    },
    { answered: closed, config: { ifClosed: "skip" }, gives: { status: "skipped", message: "nobody waits" } },
    {
      answered: decided,
      config: {},
      gives: { status: "skipped", message: 'Gate "checks" was denied by jo' },
    },
  ] as const)("$answered.state with $config gives $gives.status", async ({ answered, config, gives }) => {
    expect(await run(answered, config)).toMatchObject(gives);
  });

  it.each([
    { answered: closed, config: { ifClosed: "fail" }, kind: "failed", why: /nobody waits/ },
    { answered: decided, config: { ifDecided: "fail" }, kind: "failed", why: /it was denied by jo/ },
    { answered: new UserError("not asked"), config: {}, kind: "refused", why: /not asked/ },
  ])("fails: $why", async ({ answered, config, kind, why }) => {
    await expect(run(answered as AnsweredGate, config)).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(why),
    });
  });
});
