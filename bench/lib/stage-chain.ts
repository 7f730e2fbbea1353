import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StatementSync } from "node:sqlite";
import { createCipher, keyLength } from "#core/credentials/cipher.ts";
import { createMasker } from "#core/credentials/masker.ts";
import { createExpressions } from "#core/expressions/expressions.ts";
import { createProjectReconciler } from "#core/projects/project-reconciler.ts";
import { engineSettingsFrom } from "#core/promotion/engine.ts";
import { createLookupFunctions, createStepFunctions } from "#core/promotion/functions.ts";
import { createPromotionReconciler } from "#core/promotion/reconciler.ts";
import { createWorkFolders } from "#core/promotion/work-folders.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import { createScheduler } from "#core/scheduler/scheduler.ts";
import { isFreightAvailable } from "#core/stages/availability.ts";
import { findFreeze } from "#core/stages/freeze.ts";
import { createStageReconciler } from "#core/stages/reconciler.ts";
import { succeeded } from "#core/step.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";

const project = "bench";
const kargo = "kargo.akuity.io/v1alpha1";
const origin = { kind: "Warehouse", name: "app" };

/** What it took to bring one piece of freight through all stages. */
export interface Passage {
  /** Of the processor: the machine may be busy with other things. */
  milliseconds: number;
  /** SQL statements that were run, transactions' begins and ends among them. */
  statements: number;
  /** Runs of reconcilers. */
  reconciles: number;
  /** Every statement that was run, once. */
  texts: string[];
}

/**
 * The daemon's own reconcilers over a database of their own, with stages that each take freight from the one before.
 * One piece of freight comes to the first of them, and auto-promotion takes it to the last.
 */
export async function passThrough(stages: number): Promise<Passage> {
  const folder = await mkdtemp(join(tmpdir(), "towpath-bench-"));
  await using cleanUp = new AsyncDisposableStack();
  cleanUp.defer(() => rm(folder, { recursive: true, force: true }));
  const now = () => new Date();
  const store = await openSqliteStore({
    file: join(folder, "towpath.db"),
    cipher: createCipher(randomBytes(keyLength)),
  });
  cleanUp.defer(() => store.close());
  const expressions = await createExpressions();
  cleanUp.defer(() => expressions.dispose());
  const masker = createMasker();
  let reconciles = 0;
  const onError = (error: unknown) => {
    throw error;
  };
  const scheduler = createScheduler({
    store,
    onError,
    onRun: ({ failure }) => {
      reconciles += 1;
      if (failure !== undefined) throw failure.error;
    },
  });
  const promotions = createPromotionReconciler({
    store,
    masker,
    expressions,
    now,
    kinds: {
      find: async (name) => ({ name, runner: { run: async () => succeeded({}) } }),
      names: async () => [],
    },
    functionsFor: createStepFunctions(store, masker),
    openLog: () => ({ write: () => {}, lastAt: async () => undefined, close: async () => {} }),
    settings: engineSettingsFrom({}),
    folders: createWorkFolders(join(folder, "work")),
    isFreightAvailable: (stage, freight) => isFreightAvailable(stage, freight, now()),
    isFrozen: async (stage) => (await findFreeze(store, stage)) !== undefined,
    uiBaseUrl: "",
    onError,
  });
  cleanUp.defer(promotions.close);
  scheduler.register(promotions);
  scheduler.register(
    createStageReconciler({
      store,
      now,
      expressions,
      masker,
      functionsFor: createLookupFunctions(store, masker),
    }),
  );
  scheduler.register(createProjectReconciler({ store, now }));
  await store.write(resources(stages).map((resource) => ({ op: "create", resource })));
  await scheduler.start();
  cleanUp.defer(() => scheduler.stop(0));
  await atRest(scheduler);
  reconciles = 0;

  const counted = countStatements();
  const began = process.cpuUsage();
  await store.write([{ op: "create", resource: freight() }]);
  await untilVerified(store, stages, scheduler);
  const { user, system } = process.cpuUsage(began);
  const milliseconds = (user + system) / 1000;
  return { milliseconds, reconciles, ...counted.end() };
}

function resources(stages: number): Resource[] {
  const stage = (index: number) => ({
    apiVersion: kargo,
    kind: "Stage",
    metadata: { name: `stage-${index}`, namespace: project },
    spec: {
      requestedFreight: [
        { origin, sources: index === 0 ? { direct: true } : { stages: [`stage-${index - 1}`] } },
      ],
      promotionTemplate: { spec: { steps: [{ uses: "nothing" }] } },
    },
  });
  return [
    { apiVersion: kargo, kind: "Project", metadata: { name: project } },
    { apiVersion: kargo, kind: "Warehouse", metadata: { name: "app", namespace: project }, spec: {} },
    {
      apiVersion: kargo,
      kind: "ProjectConfig",
      metadata: { name: project, namespace: project },
      spec: { promotionPolicies: [{ autoPromotionEnabled: true, stageSelector: {} }] },
    },
    ...Array.from({ length: stages }, (_, index) => stage(index)),
  ];
}

function freight(): Resource {
  const metadata = { name: "1".repeat(40), namespace: project };
  return { apiVersion: kargo, kind: "Freight", metadata, origin, commits: [] } as unknown as Resource;
}

type Store = Awaited<ReturnType<typeof openSqliteStore>>;
type Scheduler = ReturnType<typeof createScheduler>;

async function untilVerified(store: Store, stages: number, scheduler: Scheduler): Promise<void> {
  let verified = 0;
  const wake = Promise.withResolvers<void>();
  const end = store.watch(({ resource }) => {
    if (resource.kind !== "Freight") return;
    verified = Object.keys((resource as Freight).status?.verifiedIn ?? {}).length;
    if (verified === stages) wake.resolve();
  });
  await wake.promise;
  end();
  await atRest(scheduler);
}

/** Changes wake reconcilers a moment after they were written. */
async function atRest(scheduler: Scheduler): Promise<void> {
  for (let calm = 0; calm < 3; calm += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    await scheduler.idle();
  }
}

/** Counts what any database of this process runs from now on. */
function countStatements(): { end(): Pick<Passage, "statements" | "texts"> } {
  const { prototype } = StatementSync;
  const { get, all, run } = prototype;
  const texts = new Set<string>();
  let statements = 0;
  const counting = <F extends (...values: never[]) => unknown>(method: F) =>
    function (this: StatementSync, ...values: never[]) {
      statements += 1;
      texts.add(this.sourceSQL);
      return method.apply(this, values);
    } as unknown as F;
  Object.assign(prototype, { get: counting(get), all: counting(all), run: counting(run) });
  return {
    end() {
      Object.assign(prototype, { get, all, run });
      return { statements, texts: [...texts] };
    },
  };
}
