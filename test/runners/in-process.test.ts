import { stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { createKeyedLock } from "#core/keyed-lock.ts";
import { createGateLinks } from "#core/promotion/gate-links.ts";
import { defineStep, type StepContext, type StepDefinition, succeeded } from "#core/step.ts";
import { createInProcessRunner } from "#runners/in-process.ts";
import { builtinStepKinds } from "#runners/step-kinds.ts";
import { openTestStore, testClock } from "#test/core/promotion/support.ts";
import { temporaryFolder } from "#test/support/step-context.ts";
import { describeRunner, invocation, recordingIO } from "./runners.contract.ts";

const anything = z.record(z.string(), z.unknown());
const common = { summary: "A step.", config: anything, output: anything, examples: [] };

function step(name: string, run: StepDefinition["run"], more: Partial<StepDefinition> = {}): StepDefinition {
  return defineStep({ ...common, name, run, ...more });
}

async function open(definitions: StepDefinition[]) {
  const store = await openTestStore();
  const clock = testClock();
  const runner = createInProcessRunner(definitions, {
    store,
    credentialsFor: () => ({ find: async () => ({ password: "x" }) }),
    fetchWith: () => async () => new Response("fetched"),
    lock: createKeyedLock(),
    cacheFolder: temporaryFolder(),
    masker: { mask: (text) => text.replaceAll("s3cret", "***") },
    jobs: {
      run: async ({ owner, env }) => ({ exitCode: 1, message: `${owner.name} of ${env.WHO} said s3cret` }),
    },
    gateLinks: createGateLinks({
      key: new Uint8Array(32),
      publicUrl: "https://towpath.example.com",
      now: clock.now,
    }),
    now: clock.now,
  });
  return { runner, store, clock };
}

/** Runs something with the context that a step gets. */
async function withContext<T>(look: (ctx: StepContext) => Promise<T>, overrides = {}) {
  const { runner, store } = await open([
    step("look", async (_, ctx) => succeeded({ found: await look(ctx) })),
  ]);
  const run = (more = {}) => runner.run(invocation({ kind: "look", ...overrides, ...more }), recordingIO());
  return { run, store };
}

describeRunner("in-process", async () => ({
  ...(await open([
    step("succeeds", async (config, ctx) => {
      ctx.log.info("working");
      return succeeded({ said: (config as { say: string }).say });
    }),
    step("fails", async () => {
      throw new StepFailure("errored", "no");
    }),
    step("hangs", async (_, ctx) => {
      await ctx.exec("sleep", ["60"]);
      return succeeded();
    }),
    step("writes", async (_, ctx) => {
      await ctx.workspace.write("made.txt", "here");
      return succeeded();
    }),
  ])),
  steps: {
    succeeds: { kind: "succeeds" },
    fails: { kind: "fails" },
    hangs: { kind: "hangs" },
    writes: { kind: "writes" },
  },
}));

describe("a step's configuration", () => {
  const config = z.strictObject({
    path: z.string().min(1),
    depth: z.int().optional(),
    files: z.array(z.strictObject({ name: z.string() })).optional(),
  });
  const run = async (given: Record<string, unknown>) => {
    const { runner } = await open([step("copy", async () => succeeded(), { config })]);
    return runner.run(invocation({ kind: "copy", config: given }), recordingIO());
  };

  it.each([
    { given: {}, says: "(root): path is required" },
    { given: { path: "" }, says: "path: String length must be greater than or equal to 1" },
    { given: { path: 1 }, says: "path: Invalid type. Expected: string, given: integer" },
    { given: { path: null }, says: "path: Invalid type. Expected: string, given: null" },
    { given: { path: "a", depth: "x" }, says: "depth: Invalid type. Expected: number, given: string" },
    { given: { path: "a", deep: 1 }, says: "(root): Additional property deep is not allowed" },
    { given: { path: "a", files: [{}] }, says: "files.0: name is required" },
  ])("$given is refused: $says", async ({ given, says }) => {
    await expect(run(given)).rejects.toMatchObject({
      status: "Failed",
      terminal: true,
      message: `invalid copy config: ${says}`,
    });
  });

  it("that is right reaches the step with its defaults", async () => {
    const { runner } = await open([
      step("gives", async (parsed) => succeeded(parsed as Record<string, unknown>), {
        config: z.strictObject({ depth: z.int().default(3) }),
      }),
    ]);
    const outcome = await runner.run(invocation({ kind: "gives" }), recordingIO());
    expect(outcome).toMatchObject({ output: { depth: 3 } });
  });
});

describe("a step's output", () => {
  it("that is not what the step declares is an error", async () => {
    const { runner } = await open([
      step("lies", async () => succeeded({ commit: 1 }), { output: z.object({ commit: z.string() }) }),
    ]);
    await expect(runner.run(invocation({ kind: "lies" }), recordingIO())).rejects.toThrow(
      "step lies gave an output other than it declares: commit: Invalid type. Expected: string, given: integer",
    );
  });
});

describe("what a step is lent", () => {
  it("performs an effect once, whatever attempt asks for it", async () => {
    let effects = 0;
    const { run, store } = await withContext((ctx) => ctx.once("push", async () => ({ number: ++effects })));
    expect(await run()).toMatchObject({ output: { found: { number: 1 } } });
    expect(await run({ attempt: 2 })).toMatchObject({ output: { found: { number: 1 } } });
    expect(await run({ alias: "step-2" })).toMatchObject({ output: { found: { number: 2 } } });
    await store.forgetJournal("6a1c");
    expect(await run()).toMatchObject({ output: { found: { number: 3 } } });
  });

  it("performs an effect again that failed", async () => {
    let tries = 0;
    const { run } = await withContext((ctx) =>
      ctx.once("push", async () => {
        tries += 1;
        if (tries === 1) throw new StepFailure("transient", "reset");
        return tries;
      }),
    );
    await expect(run()).rejects.toThrow("reset");
    expect(await run()).toMatchObject({ output: { found: 2 } });
  });

  it("has an idempotency key that tells steps and promotions apart, and not attempts", async () => {
    const { run } = await withContext(async (ctx) => ctx.idempotencyKey);
    const keyOf = async (more: object) => {
      const outcome = await run(more);
      return outcome.output?.found;
    };
    const key = await keyOf({});
    expect(await keyOf({ attempt: 2 })).toBe(key);
    expect(await keyOf({ alias: "step-2" })).not.toBe(key);
    expect(await keyOf({ promotionUid: "other" })).not.toBe(key);
  });

  it("lets one at a time do what must not happen twice at once", async () => {
    let inside = 0;
    let most = 0;
    const { run } = await withContext((ctx) =>
      ctx.exclusively("branch", async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setTimeout(resolve, 5));
        inside -= 1;
        return true;
      }),
    );
    await Promise.all([run(), run(), run()]);
    expect(most).toBe(1);
  });

  it("keeps caches in folders of their own, which must be names", async () => {
    const { run } = await withContext(async (ctx) => {
      const folder = await ctx.cacheFolder("git");
      return (await stat(folder)).isDirectory();
    });
    expect(await run()).toMatchObject({ output: { found: true } });
    const bad = await withContext((ctx) => ctx.cacheFolder("../git"));
    await expect(bad.run()).rejects.toThrow('Cannot make cache folder "../git"');
  });

  it("reads resources of the project, but no secrets", async () => {
    const { run, store } = await withContext(async (ctx) => {
      const found = await ctx.resources.get("ConfigMap", "settings");
      return found?.metadata.name;
    });
    await store.write([
      {
        op: "create",
        resource: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings", namespace: "shop" } },
      },
    ]);
    expect(await run()).toMatchObject({ output: { found: "settings" } });
    expect(await run({ project: "other" })).toMatchObject({ output: {} });
    const secrets = await withContext((ctx) => ctx.resources.get("Secret", "x"));
    await expect(secrets.run()).rejects.toMatchObject({ kind: "refused" });
  });

  it("adds to the metadata of freight and names it, one name for one piece", async () => {
    const { run, store } = await withContext(async (ctx) => {
      await ctx.resources.setMetadata("Freight", "abc", { b: 2 });
      await ctx.resources.setFreightAlias("abc", "wild-otter");
      return ctx.resources.setFreightAlias("def", "wild-otter").catch((error: Error) => error.message);
    });
    const apiVersion = "kargo.akuity.io/v1alpha1";
    for (const name of ["abc", "def"]) {
      const resource = {
        apiVersion,
        kind: "Freight",
        metadata: { name, namespace: "shop" },
        status: { metadata: { a: 1 } },
      };
      await store.write([{ op: "create", resource }]);
    }
    expect(await run()).toMatchObject({
      output: { found: expect.stringMatching(/another freight of the project has it/) },
    });
    expect(await store.get({ kind: "Freight", project: "shop", name: "abc" })).toMatchObject({
      alias: "wild-otter",
      metadata: { labels: { "kargo.akuity.io/alias": "wild-otter" } },
      status: { metadata: { a: 1, b: 2 } },
    });
  });
});

describe("a step's gate", () => {
  const expiresAt = "2030-01-03T00:00:00.000Z";

  it("keeps secrets out of what people are asked, and has links that stay the same", async () => {
    const { run, store } = await withContext((ctx) => ctx.gate({ message: "s3cret?", links: { expiresAt } }));
    const first = await run();
    expect(first).toEqual(await run());
    expect(first).toMatchObject({
      output: {
        found: { state: "open", links: { deny: expect.stringContaining("/gate-link/"), expiresAt } },
      },
    });
    expect(await store.list({ kind: "Gate" })).toMatchObject([
      { spec: { message: "***?", links: { expiresAt } } },
    ]);
  });

  it("is decided by what the step itself says, unless somebody was first", async () => {
    const verdict = { decision: "denied", by: "command", message: "busy" } as const;
    const { run, store } = await withContext((ctx) => ctx.gate({ message: "Quiet?", verdict }));
    const denied = { state: "denied", by: "command", message: "busy", via: "command" };
    expect(await run()).toMatchObject({ output: { found: denied } });
    expect(await store.audit({})).toMatchObject([
      { action: "GateDenied", actor: "command", message: "busy" },
    ]);
    const released = { ...verdict, decision: "released" } as const;
    const again = await withContext((ctx) => ctx.gate({ message: "Quiet?", verdict: released }));
    await again.store.write(
      (await store.list({ kind: "Gate" })).map((resource) => ({ op: "create", resource })),
    );
    expect(await again.run()).toMatchObject({ output: { found: denied } });
  });

  it("hears of a command in a container no more than people may", async () => {
    const job = { key: "k", image: "i", env: { WHO: "jo" }, pullSecrets: [] };
    const { run } = await withContext((ctx) => ctx.runJob(job));
    expect(await run()).toMatchObject({
      output: { found: { exitCode: 1, message: expect.stringMatching(/ of jo said \*\*\*$/) } },
    });
  });
});

describe("a step that takes back what it did", () => {
  it("finds what it has recorded, and in a kind that says so", async () => {
    const taken: unknown[] = [];
    const definition = step(
      "opens",
      async (_, ctx) => succeeded({ id: await ctx.once("opened", async () => 7) }),
      {
        takeBack: async (config, ctx) => {
          taken.push([config, await ctx.recorded("opened"), await ctx.recorded("other")]);
        },
      },
    );
    const { runner } = await open([definition, step("plain", async () => succeeded())]);
    const one = invocation({ kind: "opens", config: { a: 1 } });
    await runner.takeBack?.(one, recordingIO());
    await runner.run(one, recordingIO());
    await runner.takeBack?.(one, recordingIO());
    expect(taken).toEqual([
      [{ a: 1 }, undefined, undefined],
      [{ a: 1 }, { value: 7 }, undefined],
    ]);
    const kinds = builtinStepKinds([definition, step("plain", async () => succeeded())], runner);
    expect(await kinds.find("opens")).toMatchObject({ takesBack: true });
    expect(await kinds.find("plain")).toMatchObject({ takesBack: false });
  });
});
