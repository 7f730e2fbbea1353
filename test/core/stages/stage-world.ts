import { createCipher } from "#core/credentials/cipher.ts";
import { createMasker } from "#core/credentials/masker.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import { targetCollection, toReference } from "#core/promotion/freight-collection.ts";
import { freightSetOf } from "#core/promotion/freight-set.ts";
import { createLookupFunctions } from "#core/promotion/functions.ts";
import type { Freight, FreightReference, FreightStatus } from "#core/resources/freight.ts";
import type { PromotionPolicy } from "#core/resources/project-config.ts";
import type { Promotion, PromotionPhase, PromotionStatus } from "#core/resources/promotion.ts";
import { type Resource, refOf } from "#core/resources/resource.ts";
import type { FreightRequest, FreightSources, Stage, StageSpec } from "#core/resources/stage.ts";
import { createScheduler, type ReconcileRun } from "#core/scheduler/scheduler.ts";
import { createFreezes } from "#core/stages/freezes.ts";
import { createStageOperations } from "#core/stages/operations.ts";
import type { HealthChecker } from "#core/stages/pass.ts";
import { createStageReconciler } from "#core/stages/reconciler.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import { createFakeClock, settle } from "#test/core/scheduler/fake-clock.ts";

const kargo = "kargo.akuity.io/v1alpha1";
const project = "shop";

export const origin = (name = "app") => ({ kind: "Warehouse" as const, name });
export const request = (sources: FreightSources, warehouse = "app"): FreightRequest => ({
  origin: origin(warehouse),
  sources,
});
export const direct = request({ direct: true });
export const verifiedIn = (...stages: string[]): FreightRequest => request({ stages });

export function stage(name: string, requests: FreightRequest[], spec: Partial<StageSpec> = {}): Stage {
  return {
    apiVersion: kargo,
    kind: "Stage",
    metadata: { name, namespace: project },
    spec: {
      requestedFreight: requests,
      promotionTemplate: { spec: { steps: [{ uses: "compose-output" }] } },
      ...spec,
    },
  };
}

/** A stage without steps. */
export const passage = (name: string, requests: FreightRequest[]): Stage =>
  stage(name, requests, { promotionTemplate: undefined });

export function freight(
  name: string,
  options: { warehouse?: string; discoveredAt?: string; status?: FreightStatus } = {},
): Freight {
  return {
    apiVersion: kargo,
    kind: "Freight",
    metadata: { name, namespace: project },
    alias: `alias-of-${name}`,
    origin: origin(options.warehouse),
    images: [{ repoURL: "registry.example.com/app", tag: name }],
    ...(options.discoveredAt ? { discoveredAt: options.discoveredAt } : {}),
    ...(options.status ? { status: options.status } : {}),
  };
}

export const autoPromote = (...policies: PromotionPolicy[]): Resource => ({
  apiVersion: kargo,
  kind: "ProjectConfig",
  metadata: { name: project, namespace: project },
  spec: {
    promotionPolicies: policies.length > 0 ? policies : [{ autoPromotionEnabled: true, stageSelector: {} }],
  },
});

export const warehouse = (name = "app"): Resource => ({
  apiVersion: kargo,
  kind: "Warehouse",
  metadata: { name, namespace: project },
  spec: { subscriptions: [] },
});

/** Stages at work on a real store, under a clock that stands still, with promotions that end when they are told to. */
export async function createWorld(
  resources: readonly (Resource | Stage | Freight)[],
  options: {
    healthCheckers?: Record<string, HealthChecker>;
    expressions?: Pick<Expressions, "evaluateTemplate">;
  } = {},
) {
  const clock = createFakeClock();
  const now = () => new Date(clock.now());
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)), now });
  const runs: ReconcileRun[] = [];
  const masker = createMasker();
  const expressions = options.expressions ?? { evaluateTemplate: async (template: string) => template };
  let scheduler = newScheduler();
  await store.write(
    [warehouse(), ...resources].map((resource) => ({ op: "create", resource: resource as Resource })),
  );
  await scheduler.start();
  await rest();

  function newScheduler() {
    const created = createScheduler({ store, clock, onRun: (run) => void runs.push(run) });
    created.register(
      createStageReconciler({
        store,
        now,
        expressions,
        functionsFor: createLookupFunctions(store, masker),
        masker,
        healthCheckers: options.healthCheckers ?? {},
      }),
    );
    return created;
  }

  /** Has everything but the store begin anew; `meanwhile` happens while nobody is at work. */
  async function restart(meanwhile: () => Promise<void> = async () => {}): Promise<void> {
    await scheduler.stop(0);
    await meanwhile();
    scheduler = newScheduler();
    await scheduler.start();
    await rest();
  }

  async function rest(): Promise<void> {
    await settle();
    await scheduler.idle();
  }

  const get = async (kind: string, name: string) => await store.get({ kind, project, name });
  const getStage = async (name: string) => (await get("Stage", name)) as Stage;
  const getFreight = async (name: string) => (await get("Freight", name)) as Freight;

  async function promotions(stageName: string): Promise<Promotion[]> {
    const found = await store.list({ kind: "Promotion", project, where: { "spec.stage": [stageName] } });
    return found as Promotion[];
  }

  /** Freight in the order in which it was, or is to be, promoted to the stage. */
  const promoted = async (stageName: string) => (await promotions(stageName)).map(({ spec }) => spec.freight);

  /** What the engine does: begins the promotion whose turn it is. */
  async function begin(stageName: string): Promise<Promotion> {
    const holder = await getStage(stageName);
    const name = holder.status?.currentPromotion?.name;
    if (name === undefined) throw new Error(`No promotion has its turn in ${stageName}`);
    const promotion = (await get("Promotion", name)) as Promotion;
    const piece = toReference(await getFreight(promotion.spec.freight ?? ""));
    const companions: FreightReference[] = [];
    for (const other of Object.values(freightSetOf(promotion) ?? {}))
      companions.push(toReference(await getFreight(other)));
    const status: PromotionStatus = {
      phase: "Running",
      startedAt: now().toISOString(),
      freight: piece,
      freightCollection: targetCollection(holder, piece, companions),
    };
    await store.write([{ op: "status", ref: refOf(promotion), status }]);
    await rest();
    return { ...promotion, status };
  }

  /** Begins the promotion whose turn it is, and ends it. */
  async function finish(
    stageName: string,
    phase: PromotionPhase = "Succeeded",
    extra: PromotionStatus = {},
  ): Promise<string> {
    const promotion = await begin(stageName);
    await clock.advance(1);
    const status = { ...promotion.status, phase, finishedAt: now().toISOString(), ...extra };
    await store.write([{ op: "status", ref: refOf(promotion), status }]);
    await rest();
    return promotion.metadata.name;
  }

  /** Ends the verification that is under way in the stage. */
  async function judge(stageName: string, phase: "Successful" | "Failed" | "Error"): Promise<void> {
    const { status } = await getStage(stageName);
    const name = status?.freightHistory?.[0]?.verificationHistory?.[0]?.analysisRun?.name ?? "";
    const completedAt = now().toISOString();
    await store.write([
      { op: "status", ref: { kind: "AnalysisRun", project, name }, status: { phase, completedAt } },
    ]);
    await rest();
  }

  async function add(...added: (Resource | Stage | Freight)[]): Promise<void> {
    await store.write(added.map((resource) => ({ op: "create", resource: resource as Resource })));
    await rest();
  }

  async function promote(
    stageName: string,
    name: string,
    actor = "email:jo@example.com",
  ): Promise<Promotion> {
    const created = await operations.promote({ project, stage: stageName, freight: name, actor });
    await rest();
    return created;
  }

  async function abort(promotion: string): Promise<void> {
    const ref = { kind: "Promotion", project, name: promotion };
    const before = (await store.get(ref)) as Promotion | undefined;
    const status: PromotionStatus = { ...before?.status, phase: "Aborted", finishedAt: now().toISOString() };
    await store.write([{ op: "status", ref, status }]);
    await rest();
  }

  async function annotate(kind: string, name: string, key: string, value: string): Promise<void> {
    const resource = (await get(kind, name)) as Resource;
    resource.metadata.annotations = { ...resource.metadata.annotations, [key]: value };
    await store.write([{ op: "update", resource }]);
    await rest();
  }

  async function events(): Promise<string[]> {
    return (await store.events({})).map(({ reason, regarding }) => `${reason} ${regarding.name}`);
  }

  async function condition(stageName: string, type: string) {
    return (await getStage(stageName)).status?.conditions?.find((one) => one.type === type);
  }

  async function advance(seconds: number): Promise<void> {
    await clock.advance(seconds);
    await rest();
  }

  const operations = createStageOperations({ store, now });
  const freezes = createFreezes({ store, now });
  return {
    store,
    get scheduler() {
      return scheduler;
    },
    restart,
    clock,
    now,
    runs,
    operations,
    freezes,
    project,
    rest,
    add,
    advance,
    begin,
    finish,
    judge,
    promote,
    abort,
    annotate,
    promoted,
    promotions,
    getStage,
    getFreight,
    condition,
    events,
    close: async () => {
      await scheduler.stop(0);
      await store.close();
    },
  };
}

export type World = Awaited<ReturnType<typeof createWorld>>;
