import { describe, expect, it } from "vitest";
import type { GateQuestion, ResponderRule } from "#core/gate.ts";
import type { Responder } from "#core/promotion/gate-responses.ts";
import { askGate, createGates } from "#core/promotion/gates.ts";
import { openTestStore, testClock } from "./support.ts";

const address = { project: "shop", promotion: "prod.01.abc", step: "approve" };
const owner = { ...address, stage: "prod", promotionUid: "u1", alias: "approve" };

const person = (user: string, role = "kargo-viewer", claims = {}): Responder => ({
  user,
  role,
  claims: { sub: user, ...claims },
});
const jo = person("jo");
const kim = person("kim");
const lead = person("lead", "kargo-promoter", { groups: ["staff", "leads"] });

async function openGate(asks: GateQuestion, expiresAt?: string) {
  const clock = testClock();
  const store = await openTestStore(":memory:", clock.now);
  const gates = createGates(store, clock.now);
  const ask = () => askGate(store, owner, { message: "Go?", expiresAt, asks }, clock.now());
  await ask();
  return {
    clock,
    store,
    gates,
    ask,
    approve: (responder: Responder) => gates.respond({ ...address, responder, action: "approve" }),
    reject: (responder: Responder, message?: string) =>
      gates.respond({ ...address, responder, action: "reject", message }),
  };
}

const approval = (minApprovals = 1, responders: ResponderRule[] = [], excluded?: string): GateQuestion => ({
  kind: "approval",
  responders,
  minApprovals,
  excluded,
});

describe("a gate that asks for approvals", () => {
  it("opens when enough different people have approved, and keeps who did", async () => {
    const { approve, ask, clock, store, gates } = await openGate(approval(2));
    await approve(jo);
    expect(await ask()).toMatchObject({ state: "open", responses: [{ user: "jo", action: "approve" }] });
    expect(await gates.list("shop")).toHaveLength(1);
    clock.passes(60);
    await approve(kim);
    expect(await ask()).toEqual({
      state: "released",
      by: "kim",
      at: "2030-01-02T03:05:05.000Z",
      responses: [
        { user: "jo", action: "approve", time: "2030-01-02T03:04:05.000Z" },
        { user: "kim", action: "approve", time: "2030-01-02T03:05:05.000Z" },
      ],
    });
    const events = await store.events({ project: "shop" });
    expect(events.map(({ reason }) => reason).sort()).toEqual(["GateApproved", "GateOpened", "GateReleased"]);
  });

  it("counts nobody twice, however quickly they click", async () => {
    const { approve, ask } = await openGate(approval(2));
    const clicks = await Promise.allSettled(Array.from({ length: 10 }, () => approve(jo)));
    expect(clicks.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    await expect(approve(jo)).rejects.toMatchObject({ status: 409, message: /jo has approved it already/ });
    expect(await ask()).toMatchObject({ state: "open", responses: [{ user: "jo" }] });
  });

  it("loses no approval of those who come at once", async () => {
    const { approve, ask } = await openGate(approval(5));
    await Promise.all(Array.from({ length: 5 }, (_, index) => approve(person(`user-${index}`))));
    expect(await ask()).toMatchObject({ state: "released", responses: { length: 5 } });
  });

  it("is denied by one rejection, whatever was said before", async () => {
    const { approve, reject, ask } = await openGate(approval(2));
    await approve(jo);
    await reject(kim, "not on a Friday");
    expect(await ask()).toMatchObject({
      state: "denied",
      by: "kim",
      message: "not on a Friday",
      responses: [{ action: "approve" }, { user: "kim", action: "reject", message: "not on a Friday" }],
    });
    expect(await approve(lead)).toMatchObject({ decided: false, gate: { state: "denied", by: "kim" } });
  });

  it.each<{ rules: ResponderRule[]; who: Responder; may: boolean }>([
    { rules: [{ role: "kargo-promoter" }], who: lead, may: true },
    { rules: [{ role: "kargo-promoter" }], who: jo, may: false },
    { rules: [{ claim: "groups", value: "leads" }], who: lead, may: true },
    { rules: [{ claim: "groups", value: "lead" }], who: lead, may: false },
    { rules: [{ claim: "groups", value: "leads" }], who: jo, may: false },
    { rules: [{ claim: "sub", value: "jo" }], who: jo, may: true },
    { rules: [{ claim: "toString", value: "x" }], who: jo, may: false },
    { rules: [{ user: "jo" }], who: jo, may: true },
    { rules: [{ user: "email:jo@example.com" }], who: person("email:jo@example.com"), may: true },
    { rules: [{ user: "email:jo@example.com" }], who: person("link:jo@example.com"), may: false },
    { rules: [{ user: "jo@example.com" }], who: person("email:jo@example.com"), may: false },
    { rules: [{ role: "release-manager" }], who: { ...jo, roles: ["release-manager"] }, may: true },
    { rules: [{ role: "release-manager" }], who: { ...jo, roles: ["other"] }, may: false },
    { rules: [{ role: "kargo-promoter" }, { claim: "sub", value: "jo" }], who: jo, may: true },
  ])("with rules $rules, $who.user may respond: $may", async ({ rules, who, may }) => {
    const { approve, reject, ask } = await openGate(approval(1, rules));
    if (may) {
      await approve(who);
      expect(await ask()).toMatchObject({ state: "released" });
      return;
    }
    await expect(approve(who)).rejects.toMatchObject({ status: 403 });
    await expect(reject(who)).rejects.toMatchObject({ status: 403 });
    expect(await ask()).toEqual({ state: "open" });
  });

  it("waits for whom it requires, though others were enough", async () => {
    const rules = [{ claim: "groups", value: "leads", required: true }, { role: "kargo-viewer" }];
    const { approve, ask } = await openGate(approval(2, rules));
    await approve(jo);
    await approve(kim);
    expect(await ask()).toMatchObject({ state: "open" });
    await approve(lead);
    expect(await ask()).toMatchObject({ state: "released", responses: { length: 3 } });
  });

  it("takes no approval of whoever is excluded, but a rejection", async () => {
    const { approve, reject, ask } = await openGate(approval(1, [], "jo"));
    await expect(approve(jo)).rejects.toMatchObject({ status: 403 });
    await reject(jo);
    expect(await ask()).toMatchObject({ state: "denied", by: "jo" });
  });

  it("keeps its approvals when its time is up, and takes no more", async () => {
    const { approve, ask, clock } = await openGate(approval(2), "2030-01-02T03:05:00.000Z");
    await approve(jo);
    clock.passes(55);
    expect(await approve(kim)).toMatchObject({
      decided: false,
      gate: { state: "timedOut", responses: [{ user: "jo" }] },
    });
    expect(await ask()).toMatchObject({ state: "timedOut" });
  });

  it("cannot be decided past its rules, nor be filled in", async () => {
    const { gates, ask } = await openGate(approval());
    await expect(gates.decide({ ...address, decision: "released", by: "admin" })).rejects.toMatchObject({
      status: 400,
    });
    await expect(gates.respond({ ...address, responder: jo, values: {} })).rejects.toMatchObject({
      status: 400,
    });
    expect(await ask()).toEqual({ state: "open" });
  });
});

describe("a gate that asks for input", () => {
  const schema = {
    type: "object",
    additionalProperties: false,
    required: ["version"],
    properties: { version: { type: "string", pattern: "^v[0-9]+$" } },
  };
  const asks: GateQuestion = { kind: "input", responders: [{ role: "kargo-viewer" }], schema };

  it("opens with values that fit, and keeps who gave them", async () => {
    const { gates, ask } = await openGate(asks);
    await gates.respond({ ...address, responder: jo, values: { version: "v2" } });
    expect(await ask()).toEqual({
      state: "released",
      by: "jo",
      at: "2030-01-02T03:04:05.000Z",
      values: { version: "v2" },
    });
  });

  it("stays open after values that do not fit, and tells what is wrong with each", async () => {
    const { gates, ask } = await openGate(asks);
    await expect(gates.respond({ ...address, responder: jo, values: { other: 1 } })).rejects.toMatchObject({
      status: 400,
      message: /must have required property 'version'.*must not have "other"/,
    });
    await expect(
      gates.respond({ ...address, responder: lead, values: { version: "v2" } }),
    ).rejects.toMatchObject({ status: 403 });
    expect(await ask()).toEqual({ state: "open" });
  });
});
