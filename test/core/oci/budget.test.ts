import { describe, expect, it } from "vitest";
import { askedPauseSeconds, createRequestBudget } from "#core/oci/budget.ts";

describe("the budget of a registry", () => {
  it("lets only so many requests go at once, and all of them in the end", async () => {
    const budget = createRequestBudget("example.com", { concurrency: 3, requestsPerSecond: 10_000 });
    let underWay = 0;
    let most = 0;
    const done = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        budget.spend(async () => {
          underWay++;
          most = Math.max(most, underWay);
          await new Promise((resolve) => setImmediate(resolve));
          underWay--;
          return at;
        }),
      ),
    );
    expect(done).toHaveLength(20);
    expect(most).toBe(3);
  });

  it("goes on after requests that fail", async () => {
    const budget = createRequestBudget("example.com", { concurrency: 1 });
    const failing = () => budget.spend(() => Promise.reject(new Error("no")));
    await expect(failing()).rejects.toThrow("no");
    await expect(failing()).rejects.toThrow("no");
    expect(await budget.spend(async () => "yes")).toBe("yes");
  });

  it("fails at once while a long pause lasts, and says until when", async () => {
    const clock = { now: Date.parse("2030-01-01T00:00:00Z") };
    const budget = createRequestBudget("example.com", {}, () => clock.now);
    budget.pauseUntil(clock.now + 3_600_000);
    await expect(budget.spend(async () => "never")).rejects.toMatchObject({
      kind: "transient",
      message: 'Registry "example.com" asked for a pause until 2030-01-01T01:00:00.000Z',
    });
    clock.now += 3_600_001;
    expect(await budget.spend(async () => "now")).toBe("now");
  });

  it("does not wait for those who have given up", async () => {
    const budget = createRequestBudget("example.com", { maxWaitSeconds: 3_600 });
    budget.pauseUntil(Date.now() + 60_000);
    const controller = new AbortController();
    const waiting = budget.spend(async () => "never", controller.signal);
    controller.abort();
    await expect(waiting).rejects.toThrow();
  });
});

describe("the pause that an answer asks for", () => {
  const now = Date.parse("2030-01-01T00:00:00Z");
  it.each([
    { status: 429, headers: { "retry-after": "7" }, seconds: 7 },
    { status: 503, headers: { "retry-after": "Tue, 01 Jan 2030 00:01:00 GMT" }, seconds: 60 },
    { status: 429, headers: { "retry-after": "Mon, 31 Dec 2029 00:00:00 GMT" }, seconds: 1 },
    { status: 429, headers: { "retry-after": "soon" }, seconds: 60 },
    { status: 429, headers: {}, seconds: 60 },
    { status: 503, headers: {}, seconds: undefined },
    { status: 200, headers: { "retry-after": "7" }, seconds: undefined },
    { status: 200, headers: { "ratelimit-remaining": "0;w=21600" }, seconds: 300 },
    { status: 200, headers: { "ratelimit-remaining": "76;w=21600" }, seconds: undefined },
  ])("$status $headers: $seconds", ({ status, headers, seconds }) => {
    expect(askedPauseSeconds(new Response(null, { status, headers: { ...headers } }), now)).toBe(seconds);
  });
});
