import { randomBytes } from "node:crypto";
import { createCipher, keyLength } from "#core/credentials/cipher.ts";
import { createMasker } from "#core/credentials/masker.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import { advance, type EngineServices, engineSettingsFrom } from "#core/promotion/engine.ts";
import { createStepFunctions } from "#core/promotion/functions.ts";
import { openRun } from "#core/promotion/open-run.ts";
import { openStepLog } from "#core/promotion/step-log.ts";
import type { Promotion, PromotionStatus, PromotionStep } from "#core/resources/promotion.ts";
import type { Invocation, RunnerIO, StepKind, StepKinds } from "#core/runner.ts";
import type { Outcome } from "#core/step.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

/** A kind of step that is made for a test: what it does, and how the engine is to treat it. */
export type TestKind =
  | ((invocation: Invocation, io: RunnerIO) => Outcome | Promise<Outcome>)
  | ({ run(invocation: Invocation, io: RunnerIO): Outcome | Promise<Outcome> } & Partial<StepKind>);

export function testKinds(kinds: Record<string, TestKind>): StepKinds {
  return {
    async find(name) {
      const kind = kinds[name];
      if (kind === undefined) return undefined;
      const { run, ...traits } = typeof kind === "function" ? { run: kind } : kind;
      return { name, runner: { run: async (invocation, io) => run(invocation, io) }, ...traits };
    },
    names: async () => Object.keys(kinds),
  };
}

export async function openTestStore(file = ":memory:", now?: () => Date): Promise<Store> {
  return openSqliteStore({ file, cipher: createCipher(testKey), now });
}

const testKey = randomBytes(keyLength);

/** A clock that stands still until it is moved. */
export function testClock(start = "2030-01-02T03:04:05.000Z") {
  let at = Date.parse(start);
  return {
    now: () => new Date(at),
    passes(seconds: number) {
      at += seconds * 1000;
    },
  };
}

let sharedExpressions: Promise<Expressions> | undefined;

export async function testServices(
  store: Store,
  kinds: Record<string, TestKind>,
  options: Partial<EngineServices> = {},
): Promise<EngineServices & { store: Store; masker: ReturnType<typeof createMasker> }> {
  sharedExpressions ??= createExpressions();
  const masker = createMasker();
  const now = options.now ?? testClock().now;
  return {
    kinds: testKinds(kinds),
    expressions: await sharedExpressions,
    functionsFor: createStepFunctions(store, masker),
    masker,
    openLog: (key) => openStepLog(key, { store, masker, now, onError: fail }),
    now,
    settings: engineSettingsFrom({}),
    ...options,
    store,
  };
}

function fail(error: unknown): never {
  throw error;
}

/** A promotion in the store, its steps named by their place unless they say otherwise. */
export async function storePromotion(
  store: Store,
  steps: PromotionStep[],
  { status, ...spec }: Partial<NonNullable<Promotion["spec"]>> & { status?: PromotionStatus } = {},
): Promise<Promotion> {
  const [created] = await store.write([
    {
      op: "create",
      resource: {
        apiVersion: "kargo.akuity.io/v1alpha1",
        kind: "Promotion",
        metadata: { name: "test.01.abc", namespace: "shop" },
        spec: {
          stage: "test",
          freight: "abc",
          ...spec,
          steps: steps.map((step, index) => ({ as: `step-${index + 1}`, ...step })),
        },
        status,
      },
    },
  ]);
  return created as Promotion;
}

export const testFolder = async () => temporaryFolder();

/** Runs a promotion as far as it goes without anything happening outside. */
export async function runSteps(
  steps: PromotionStep[],
  kinds: Record<string, TestKind>,
  options: {
    secrets?: string[];
    vars?: Promotion["spec"]["vars"];
    status?: PromotionStatus;
    services?: Partial<EngineServices>;
    signal?: AbortSignal;
  } = {},
) {
  const store = await openTestStore();
  const services = await testServices(store, kinds, options.services);
  for (const secret of options.secrets ?? []) services.masker.add(secret);
  const promotion = await storePromotion(store, steps, { vars: options.vars, status: options.status });
  const run = await openRun(store, services.masker, {
    promotion,
    freight: undefined,
    freightRequests: [],
    workspace: await testFolder(),
    uiBaseUrl: "https://towpath.example.com",
  });
  const progress = await advance(run, services, options.signal ?? new AbortController().signal);
  const records = run.status.stepExecutionMetadata ?? [];
  return { progress, run, store, services, status: run.status, records, outputs: run.outputs };
}
