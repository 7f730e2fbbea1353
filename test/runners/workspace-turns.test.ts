import { setImmediate as later } from "node:timers/promises";
import { expect, it } from "vitest";
import type { Invocation } from "#core/runner.ts";
import { succeeded } from "#core/step.ts";
import { builtinStepKinds } from "#runners/step-kinds.ts";
import { createWorkspaceTurns, type Side } from "#runners/workspace-turns.ts";
import fail from "#steps/fail.ts";

/** Steps of both sides that end when the test says so, and a record of which are under way. */
function world() {
  const turns = createWorkspaceTurns();
  const under = new Set<string>();
  async function start(
    side: Side,
    name: string,
    { workspace = "/w", signal = new AbortController().signal } = {},
  ) {
    const over = Promise.withResolvers<void>();
    const runner = {
      async run() {
        under.add(name);
        await over.promise;
        under.delete(name);
        return succeeded();
      },
    };
    const kind = await turns.of(side, builtinStepKinds([fail], runner)).find("fail");
    const done = kind?.runner.run({ workspace } as Invocation, { signal, log() {} });
    done?.catch(() => undefined);
    await later();
    return {
      done,
      async end() {
        over.resolve();
        await done;
        await later();
      },
    };
  }
  return { start, running: () => [...under].toSorted().join() };
}

it("has steps of one side in a workspace together, and those of the other after them", async () => {
  const { start, running } = world();
  const a = await start("daemon", "a");
  const b = await start("daemon", "b");
  const c = await start("commands", "c");
  expect(running()).toBe("a,b");
  await a.end();
  expect(running()).toBe("b");
  await b.end();
  expect(running()).toBe("c");
  await c.end();
  expect(running()).toBe("");
});

it("lets nobody pass those who wait for longer", async () => {
  const { start, running } = world();
  const a = await start("commands", "a");
  const b = await start("daemon", "b");
  const c = await start("commands", "c");
  expect(running()).toBe("a");
  await a.end();
  expect(running()).toBe("b");
  await b.end();
  expect(running()).toBe("c");
  await c.end();
});

it("knows nothing of turns between workspaces", async () => {
  const { start, running } = world();
  await start("commands", "a", { workspace: "/one" });
  await start("daemon", "b", { workspace: "/two" });
  expect(running()).toBe("a,b");
});

it("has a step that is aborted while it waits hold nobody up", async () => {
  const { start, running } = world();
  const abort = new AbortController();
  await start("commands", "a");
  const b = await start("daemon", "b", { signal: abort.signal });
  await start("commands", "c");
  abort.abort(new Error("aborted"));
  await expect(b.done).rejects.toThrow("aborted");
  expect(running()).toBe("a,c");
});
