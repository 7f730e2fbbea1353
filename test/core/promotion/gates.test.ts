import { describe, expect, it } from "vitest";
import type { GateRequest } from "#core/gate.ts";
import { gateRef } from "#core/promotion/gate-resource.ts";
import { askGate, createGates } from "#core/promotion/gates.ts";
import { openTestStore, testClock } from "./support.ts";

const owner = {
  project: "shop",
  stage: "prod",
  promotion: "prod.01.abc",
  promotionUid: "u1",
  alias: "approval",
};
const gate = { project: "shop", promotion: "prod.01.abc", step: "approval" };

async function setUp() {
  const clock = testClock();
  const store = await openTestStore(":memory:", clock.now);
  return {
    clock,
    store,
    gates: createGates(store, clock.now),
    ask: (request: GateRequest = { message: "Go?" }) => askGate(store, owner, request, clock.now()),
  };
}

describe("a gate", () => {
  it("is open until somebody answers, however often it is asked for", async () => {
    const { ask, gates } = await setUp();
    expect(await ask()).toEqual({ state: "open" });
    expect(await ask({ message: "Other?" })).toEqual({ state: "open" });
    expect(await gates.list("shop")).toEqual([
      expect.objectContaining({
        ...gate,
        stage: "prod",
        message: "Go?",
        state: "open",
        openedAt: "2030-01-02T03:04:05Z",
      }),
    ]);
    expect(await gates.list("other")).toEqual([]);
  });

  it("keeps who answered, when and with which words", async () => {
    const { ask, gates, clock, store } = await setUp();
    await ask();
    clock.passes(60);
    const answer = await gates.decide({
      ...gate,
      decision: "released",
      by: "email:jo@example.com",
      message: "tested",
    });
    expect(answer).toMatchObject({
      decided: true,
      gate: { state: "released", by: "email:jo@example.com", answer: "tested" },
    });
    expect(await ask()).toEqual({
      state: "released",
      by: "email:jo@example.com",
      at: "2030-01-02T03:05:05.000Z",
      message: "tested",
    });
    expect(await gates.list()).toEqual([]);
    expect(await gates.get("shop", "prod.01.abc", "approval")).toMatchObject({ state: "released" });
    expect(await store.events({ project: "shop" })).toEqual([
      expect.objectContaining({
        reason: "GateOpened",
        message: 'Gate "approval" of Promotion "prod.01.abc" asks: Go?',
      }),
      expect.objectContaining({
        reason: "GateReleased",
        message: 'Gate "approval" of Promotion "prod.01.abc" released by email:jo@example.com: tested',
      }),
    ]);
  });

  it("wakes the promotion that waits for it, also when the daemon dies before it could", async () => {
    const { ask, gates, clock, store } = await setUp();
    await ask();
    await gates.decide({ ...gate, decision: "denied", by: "admin" });
    expect(await store.due(clock.now().getTime())).toEqual([
      { key: { kind: "Promotion", project: "shop", name: "prod.01.abc" }, at: clock.now().getTime() },
    ]);
  });

  it("that many answer at once is answered once, and all see by whom", async () => {
    const { ask, gates, store } = await setUp();
    await ask();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        gates.decide({ ...gate, decision: i % 2 === 0 ? "released" : "denied", by: `user-${i}` }),
      ),
    );
    const winners = answers.filter(({ decided }) => decided);
    expect(winners).toHaveLength(1);
    expect(new Set(answers.map(({ gate: { by, state } }) => `${by} ${state}`)).size).toBe(1);
    expect(await store.audit({ project: "shop" })).toHaveLength(1);
  });

  it("whose time is up has timed out, and no answer comes through any more", async () => {
    const { ask, gates, clock } = await setUp();
    await ask({ message: "Go?", expiresAt: "2030-01-02T03:05:00.000Z" });
    clock.passes(55);
    expect(await gates.list()).toEqual([]);
    const late = await gates.decide({ ...gate, decision: "released", by: "admin" });
    expect(late).toMatchObject({ decided: false, gate: { state: "timedOut" } });
    expect(await ask()).toEqual({ state: "timedOut", at: "2030-01-02T03:05:00.000Z" });
  });

  it("that nobody opened cannot be answered", async () => {
    const { gates } = await setUp();
    await expect(gates.decide({ ...gate, decision: "released", by: "admin" })).rejects.toThrow(
      /Cannot answer gate "approval" of Promotion "shop\/prod.01.abc": there is none open/,
    );
    expect(await gates.get("shop", "prod.01.abc", "approval")).toBeUndefined();
  });
});

describe("names of gates", () => {
  it.each([
    { alias: "approval", name: /^p\.approval$/ },
    { alias: "task-1::ask", name: /^p\.task-1-ask-[0-9a-f]{8}$/ },
    { alias: "Ask Me!", name: /^p\.ask-me-[0-9a-f]{8}$/ },
    { alias: "a".repeat(300), name: /^p\.a{242}-[0-9a-f]{8}$/ },
  ])("of step $alias are valid", ({ alias, name }) => {
    expect(gateRef("shop", "p", alias).name).toMatch(name);
  });

  it("of different steps differ", () => {
    expect(gateRef("shop", "p", "a::b").name).not.toBe(gateRef("shop", "p", "a-b").name);
    expect(gateRef("shop", "p", "a b").name).not.toBe(gateRef("shop", "p", "a_b").name);
  });
});
