import { describe, expect, it } from "vitest";
import { createKeyedLock } from "#core/keyed-lock.ts";

/** Work that is under way until it is ended, and tells when it began. */
function work(began: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<string>();
  return {
    do: () => {
      began.push(name);
      return promise;
    },
    end: () => resolve(name),
  };
}

const turns = () => new Promise((resolve) => setImmediate(resolve));

describe("a keyed lock", () => {
  it("gives turns under one key in the order of asking, and does not hold up other keys", async () => {
    const lock = createKeyedLock();
    const began: string[] = [];
    const [first, second, other] = [work(began, "first"), work(began, "second"), work(began, "other")];
    const results = [lock.run("a", first.do), lock.run("a", second.do), lock.run("b", other.do)];
    await turns();
    expect(began).toEqual(["first", "other"]);
    first.end();
    await turns();
    expect(began).toEqual(["first", "other", "second"]);
    second.end();
    other.end();
    expect(await Promise.all(results)).toEqual(["first", "second", "other"]);
  });

  it("goes on after work that failed", async () => {
    const lock = createKeyedLock();
    const failing = lock.run("a", () => Promise.reject(new Error("no")));
    const next = lock.run("a", async () => "yes");
    await expect(failing).rejects.toThrow("no");
    expect(await next).toBe("yes");
  });

  it("lets go of who is told to stop waiting, and keeps the others apart all the same", async () => {
    const lock = createKeyedLock();
    const began: string[] = [];
    const [first, second, third] = [work(began, "first"), work(began, "second"), work(began, "third")];
    const abort = new AbortController();
    const running = lock.run("a", first.do);
    const waiting = lock.run("a", second.do, abort.signal);
    const last = lock.run("a", third.do);
    abort.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
    await turns();
    expect(began).toEqual(["first"]);
    first.end();
    await turns();
    expect(began).toEqual(["first", "third"]);
    third.end();
    await Promise.all([running, last]);
  });
});
