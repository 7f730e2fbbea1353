import { meetsCriteria } from "#core/artifacts/creation-criteria.ts";
import { describeFailures, discover } from "#core/artifacts/discovery.ts";
import type { DiscoveryParts } from "#core/artifacts/discovery-parts.ts";
import { summarizeReports } from "#core/artifacts/discovery-summary.ts";
import { expressionFilter } from "#core/artifacts/expression-filter.ts";
import { freightOfBest, missingArtifacts } from "#core/artifacts/freight-content.ts";
import { writeFreight } from "#core/artifacts/new-freight.ts";
import { intervalMs, nextLookSeconds, retrySeconds, settleMs } from "#core/artifacts/poll-times.ts";
import type { StatusDraft } from "#core/artifacts/warehouse-status.ts";
import { discoveryFailure, draftStatus } from "#core/artifacts/warehouse-status.ts";
import { createWarehouseWakeUps } from "#core/artifacts/warehouse-wake-ups.ts";
import type { CredentialSource } from "#core/credentials/credentials.ts";
import type { Masker } from "#core/credentials/masker.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import type { Git } from "#core/git/git.ts";
import { formatRef, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { DiscoveredArtifacts, Warehouse, WarehouseStatus } from "#core/resources/warehouse.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import { getCondition } from "#core/stages/conditions.ts";
import { toTime } from "#core/stages/times.ts";
import { NotFoundError, type Store } from "#core/store/store.ts";

const refreshAnnotation = "kargo.akuity.io/refresh";

export interface WarehouseReconcilerServices {
  store: Store;
  parts: DiscoveryParts;
  /** A Git whose work ends when the signal is aborted. */
  git(signal: AbortSignal): Git;
  credentialsOf(project: string): CredentialSource;
  expressions: Pick<Expressions, "evaluate">;
  masker: Pick<Masker, "mask">;
  /** Between 0 and 1; spreads the times of looking. */
  random?: () => number;
  /** No Warehouse looks more often than this; 0 by default. */
  minIntervalSeconds?: number;
  /** Warehouses that are reconciled at once; 4 by default. */
  concurrency?: number;
}

type Requeue = { requeueAfterSeconds?: number } | undefined;

/** What one run works with. */
interface Run {
  services: WarehouseReconcilerServices;
  warehouse: Warehouse;
  draft: StatusDraft;
  signal: AbortSignal;
  intervalMs: number;
}

/**
 * Looks at the repositories of a Warehouse when its interval has passed, when it was changed and when
 * somebody asks for it, and makes freight of what is new.
 */
export function createWarehouseReconciler(services: WarehouseReconcilerServices): Reconciler {
  const { store, random = Math.random, minIntervalSeconds = 0, concurrency = 4 } = services;
  const wakeUps = createWarehouseWakeUps();

  async function reconcile(ref: ResourceRef, signal: AbortSignal): Promise<Requeue> {
    const warehouse = (await store.get(ref)) as Warehouse | undefined;
    if (warehouse === undefined) return undefined;
    const draft = draftStatus(warehouse, services.parts.now());
    const run = {
      services,
      warehouse,
      draft,
      signal,
      intervalMs: intervalMs(warehouse, minIntervalSeconds * 1000),
    };
    try {
      const failure = await lookIfDue(run);
      if (failure !== undefined) {
        draft.discoveryFailed(failure);
        await saveStatus(run);
        return { requeueAfterSeconds: retrySeconds(wakeUps.failed(ref), random()) };
      }
      wakeUps.succeeded(ref);
      return await makeFreight(run, random);
    } catch (error) {
      // Deleted meanwhile: nothing is left to write to.
      if (error instanceof NotFoundError) return undefined;
      throw error;
    }
  }

  return {
    kind: "Warehouse",
    concurrency,
    // The first copy of a huge repository takes its time.
    maxSeconds: 2 * 60 * 60,
    reconcile,
    enqueueFor: (change) => wakeUps.enqueueFor(change),
    async initial() {
      return (await store.list({ kind: "Warehouse" })).map(refOf);
    },
  };
}

/** Looks, and brings what it found into the draft; returns why it could not. */
async function lookIfDue(run: Run): Promise<string | undefined> {
  const { services, warehouse, draft, signal } = run;
  const { status } = draft;
  const token = warehouse.metadata.annotations?.[refreshAnnotation];
  const isAsked = token !== undefined && token !== status.lastHandledRefresh;
  if (token !== undefined) status.lastHandledRefresh = token;
  const isChanged = (warehouse.metadata.generation ?? 0) !== status.observedGeneration;
  // A look that failed may have been one that was asked for: what is in memory is too old for it.
  const isUrgent = isAsked || isChanged || hasFailed(status) || status.settling !== undefined;
  if (!isAsked && !isChanged && !isDue(run)) return undefined;

  draft.discovering();
  await saveStatus(run, { ...warehouse.status, conditions: status.conditions });
  const deps = {
    ...services.parts,
    git: services.git(signal),
    credentials: services.credentialsOf(warehouse.metadata.namespace ?? ""),
    matches: expressionFilter(services.expressions),
    signal,
  };
  const { artifacts, reports } = await discover(warehouse.spec, deps, {
    key: formatRef(refOf(warehouse)),
    // A changed subscription may choose otherwise where nothing else has changed.
    previous: isChanged ? undefined : status.discoveredArtifacts,
    maxAgeMs: isUrgent ? 0 : run.intervalMs,
    isAsked,
  });
  const mask = (text: string) => services.masker.mask(text);
  status.discovery = summarizeReports(reports, isChanged ? [] : status.discovery, services.parts.now(), mask);
  if (artifacts === undefined) return mask(describeFailures(reports));
  status.discoveredArtifacts = artifacts;
  return undefined;
}

/** When the interval has passed since the last look, the last look failed, or something has settled. */
function isDue({ services, warehouse, draft: { status }, intervalMs }: Run): boolean {
  const { discoveredArtifacts, settling } = status;
  const now = services.parts.now().getTime();
  if (discoveredArtifacts === undefined) return true;
  if (hasFailed(status)) return true;
  if (settling !== undefined && Date.parse(settling.since) + settleMs(warehouse) <= now) return true;
  return Date.parse(discoveredArtifacts.discoveredAt) + intervalMs <= now;
}

function hasFailed(status: WarehouseStatus): boolean {
  return getCondition(status, "Ready")?.reason === discoveryFailure;
}

/** Makes freight of the best artifacts, if there is to be any, and says in the status how it stands. */
async function makeFreight(run: Run, random: () => number): Promise<Requeue> {
  const { services, warehouse, draft, intervalMs } = run;
  const { status } = draft;
  status.observedGeneration = warehouse.metadata.generation ?? 0;
  const artifacts = status.discoveredArtifacts;
  const next = () => ({
    requeueAfterSeconds: nextLookSeconds(
      artifacts?.discoveredAt ?? toTime(services.parts.now()),
      intervalMs,
      services.parts.now(),
      random(),
    ),
  });
  const missing = missingArtifacts(artifacts);
  if (artifacts === undefined || missing !== undefined) {
    if (missing !== undefined) draft.missing(missing);
    await saveStatus(run);
    return next();
  }
  if (warehouse.spec.freightCreationPolicy !== "Manual") {
    const verdict = await judge(run, artifacts);
    if (verdict === "failed") {
      await saveStatus(run);
      return next();
    }
    if (verdict === "met") return (await createOrSettle(run, artifacts)) ?? next();
  }
  draft.succeeded();
  await saveStatus(run);
  return next();
}

async function judge(
  { services, warehouse, draft }: Run,
  artifacts: DiscoveredArtifacts,
): Promise<"met" | "not met" | "failed"> {
  try {
    const { freightCreationCriteria } = warehouse.spec;
    if (await meetsCriteria(freightCreationCriteria, artifacts, services.expressions)) {
      draft.criteriaMet();
      return "met";
    }
    draft.criteriaNotMet();
    return "not met";
  } catch (error) {
    // Trying again makes no expression valid: it waits for the next look or a change.
    draft.criteriaFailed(services.masker.mask(error instanceof Error ? error.message : String(error)));
    return "failed";
  }
}

/** Creates the freight with the status that tells of it; or, while it settles, says when to come back. */
async function createOrSettle(run: Run, artifacts: DiscoveredArtifacts): Promise<Requeue> {
  const { services, warehouse, draft } = run;
  const { store, parts } = services;
  const origin = { kind: "Warehouse", name: warehouse.metadata.name } as const;
  const content = freightOfBest(origin, artifacts);
  const project = warehouse.metadata.namespace;
  const ref = { kind: "Freight", ...(project === undefined ? {} : { project }), name: content.name };
  if ((await store.get(ref)) !== undefined) {
    draft.freightExists(content.name);
    draft.succeeded();
    await saveStatus(run);
    return undefined;
  }
  const waitMs = settle(run, content.name);
  if (waitMs > 0) {
    draft.settling(toTime(new Date(parts.now().getTime() + waitMs)));
    draft.succeeded();
    await saveStatus(run);
    return { requeueAfterSeconds: waitMs / 1000 };
  }
  draft.freightCreated(content.name);
  draft.succeeded();
  await writeFreight(store, content, { warehouse: refOf(warehouse), status: draft.status, now: parts.now() });
  return undefined;
}

/** How long the freight has yet to wait; the clock starts anew when the newest artifacts are others. */
function settle({ services, warehouse, draft: { status } }: Run, freight: string): number {
  const settleTime = settleMs(warehouse);
  if (settleTime === 0) return 0;
  const now = services.parts.now();
  if (status.settling?.freight !== freight) status.settling = { freight, since: now.toISOString() };
  return Date.parse(status.settling.since) + settleTime - now.getTime();
}

async function saveStatus(
  { services: { store }, warehouse, draft }: Run,
  status: unknown = draft.status,
): Promise<void> {
  await store.write([{ op: "status", ref: refOf(warehouse), status: structuredClone(status) }]);
}
