import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import type { z } from "zod";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { createExec } from "#core/exec.ts";
import { StepFailure } from "#core/failure.ts";
import type { Outcome, StepContext, StepDefinition } from "#core/step.ts";
import { workspaceAt } from "#core/workspace-folder.ts";

const temporary: string[] = [];
afterAll(() => {
  for (const folder of temporary.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A new folder, free of symbolic links on its way, that is gone after the tests of this file. */
export function temporaryFolder(): string {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), "towpath-test-")));
  temporary.push(folder);
  return folder;
}

/** A context for one step: a real workspace in a folder of its own, the egress rules with loopback opened. */
export function fakeContext(overrides: Partial<StepContext> = {}): StepContext {
  const workspace = overrides.workspace ?? workspaceAt(temporaryFolder());
  const { signal } = overrides.signal ? { signal: overrides.signal } : new AbortController();
  const recorded = new Map<string, unknown>();
  const queues = new Map<string, Promise<unknown>>();
  return {
    project: "shop",
    stage: "test",
    promotion: "test.01k0000000000000000000000a.abcdef0",
    alias: "step-1",
    actor: "",
    uiBaseUrl: "",
    idempotencyKey: "11111111-2222-3333-4444-555555555555/step-1",
    startedAt: "2030-01-02T03:04:05.000Z",
    workspace,
    freight: [],
    targetFreight: undefined,
    freightRequests: [],
    outputs: {},
    credentials: { find: async () => undefined },
    log: { info() {}, warn() {} },
    signal,
    exec: createExec({ cwd: workspace.root, signal }),
    fetch: createFetch({ policy: createEgressPolicy({ allow: ["localhost"] }), signal }),
    now: () => new Date("2030-01-02T03:04:05.000Z"),
    async once<T>(key: string, effect: () => Promise<T>) {
      if (!recorded.has(key)) recorded.set(key, await effect());
      return recorded.get(key) as T;
    },
    async recorded(key) {
      return recorded.has(key) ? { value: recorded.get(key) } : undefined;
    },
    async exclusively<T>(key: string, work: () => Promise<T>) {
      const before = queues.get(key) ?? Promise.resolve();
      const mine = before.then(work, work);
      queues.set(key, mine);
      return await mine;
    },
    async cacheFolder(name) {
      const folder = path.join(cacheRoot(), name);
      await mkdir(folder, { recursive: true });
      return folder;
    },
    gate: async () => ({ state: "open" }),
    answerGate: async () => ({ state: "answered" }),
    runJob: async () => ({ exitCode: 0, message: "" }),
    resources: {
      get: async () => undefined,
      setMetadata: async () => {},
      setFreightAlias: async () => {},
    },
    ...overrides,
  };
}

let sharedCacheRoot: string | undefined;
function cacheRoot(): string {
  sharedCacheRoot ??= temporaryFolder();
  return sharedCacheRoot;
}

/** Runs a step as a runner does: the configuration parsed before, the output checked after. */
export async function runStep(
  step: StepDefinition,
  config: unknown,
  ctx: StepContext = fakeContext(),
): Promise<Outcome> {
  const parsed = step.config.safeParse(config);
  if (!parsed.success) {
    throw new StepFailure("config", `Invalid ${step.name} config: ${reasons(parsed.error)}`);
  }
  const outcome = await step.run(parsed.data, ctx);
  if (outcome.status !== "succeeded") return outcome;
  const output = step.output.safeParse(outcome.output ?? {});
  if (!output.success) throw new TypeError(`Invalid ${step.name} output: ${reasons(output.error)}`);
  return outcome;
}

function reasons(error: z.ZodError): string {
  return error.issues.map(({ path: at, message }) => `${at.join(".")}: ${message}`).join("; ");
}
