import type { AnalysisRun, AnalysisRunStatus, MetricResult } from "#core/resources/analysis-run.ts";
import type { Metric } from "#core/resources/analysis-template.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import { toTime } from "#core/stages/times.ts";
import {
  addMeasurement,
  assessRun,
  isInFlight,
  isTerminating,
  nextMeasurement,
} from "#core/stages/verification/assess.ts";
import { checkMetrics, providerOf } from "#core/stages/verification/check-metrics.ts";
import { fillMetrics } from "#core/stages/verification/fill-metrics.ts";
import { clearedAway } from "#core/stages/verification/hidden-arguments.ts";
import type { AnalysisJobs } from "#core/stages/verification/jobs/jobs.ts";
import { endMeasurement, type MeasureServices, measure } from "#core/stages/verification/measure.ts";
import { keptMeasurements, matchingMetrics } from "#core/stages/verification/metric-rules.ts";
import { isOver } from "#core/stages/verification/phases.ts";
import { removalTime } from "#core/stages/verification/time-to-live.ts";
import { retryConflicts } from "#core/store/retry-conflicts.ts";

export interface AnalysisServices extends MeasureServices {
  /** Runs the containers of the provider `job`; without it such metrics are in error. */
  jobs?: AnalysisJobs;
  concurrency?: number;
}

/** Measures what AnalysisRuns ask for until they have their result. */
export function createAnalysisRunReconciler(services: AnalysisServices): Reconciler {
  const { store, now, jobs } = services;
  /** Which generation was last seen: what this reconciler writes itself is no news to it. */
  const generations = new Map<string, number | undefined>();
  /** Of the runs that are not over, to know whose jobs to remove when one is deleted. */
  const uids = new Map<string, string>();

  async function reconcile(
    ref: ResourceRef,
    signal: AbortSignal,
  ): Promise<{ requeueAfterSeconds?: number } | undefined> {
    const run = (await store.get(ref)) as AnalysisRun | undefined;
    if (run === undefined || isOver(run.status?.phase)) {
      await clearAway(ref);
      return run === undefined ? undefined : await removeInTime(ref, run);
    }
    uids.set(nameOf(ref), run.metadata.uid ?? "");
    if (run.status?.startedAt === undefined) {
      run.status = { ...run.status, phase: "Running", startedAt: toTime(now()) };
      await write(run, run.status);
    }
    const outcome = await advance(run, run.status, signal);
    await write(run, outcome.status);
    if (isOver(outcome.status.phase)) {
      await clearAway(ref);
      return await removeInTime(ref, { ...run, status: outcome.status });
    }
    return outcome.next === undefined ? undefined : { requeueAfterSeconds: secondsUntil(outcome.next) };
  }

  async function clearAway(ref: ResourceRef): Promise<void> {
    const { project, name } = ref;
    const writes = await clearedAway(store, { metadata: { namespace: project, name } });
    if (writes.length > 0) await store.write(writes);
    const uid = uids.get(nameOf(ref));
    uids.delete(nameOf(ref));
    if (uid) await jobs?.forget(uid);
  }

  async function removeInTime(
    ref: ResourceRef,
    run: AnalysisRun,
  ): Promise<{ requeueAfterSeconds: number } | undefined> {
    const time = removalTime(run);
    if (time === undefined) return undefined;
    if (time > now()) return { requeueAfterSeconds: secondsUntil(time) };
    await store.write([{ op: "delete", ref }]);
    return undefined;
  }

  async function advance(
    run: AnalysisRun,
    status: AnalysisRunStatus,
    signal: AbortSignal,
  ): Promise<{ status: AnalysisRunStatus; next?: Date }> {
    const terminate = run.spec.terminate === true;
    try {
      const metrics = await fillMetrics(services, run);
      checkMetrics(metrics);
      const dryRun = matchingMetrics("dryRun", run.spec.dryRun ?? [], metrics);
      const kept = keptMeasurements(run.spec.measurementRetention ?? [], metrics);
      const isEnding = isTerminating(status, terminate);
      const measured = await Promise.all(
        metrics.map(async (metric) => {
          const known = status.metricResults?.find(({ name }) => name === metric.name);
          const result = known ?? newResult(metric, dryRun.has(metric.name));
          const request = { run, metric, result, signal };
          if (isEnding && isInFlight(known)) {
            return addMeasurement(result, await endMeasurement(services, request), kept(metric.name));
          }
          const due = isEnding ? undefined : nextMeasurement(metric, known, status.startedAt, now());
          if (due === undefined || due > now()) return result;
          return addMeasurement(result, await measure(services, request), kept(metric.name));
        }),
      );
      const assessed = assessRun(metrics, { ...status, metricResults: measured }, terminate);
      return { status: completed(assessed), next: earliest(metrics, assessed) };
    } catch (error) {
      signal.throwIfAborted();
      const message = services.masker.mask(error instanceof Error ? error.message : String(error));
      return { status: completed({ ...status, phase: "Error", message }) };
    }
  }

  function newResult(metric: Metric, dryRun: boolean): MetricResult {
    const { provider, config } = providerOf(metric);
    const told = Object.entries(provider.resultMetadata?.(config) ?? {});
    const metadata = Object.fromEntries(told.map(([name, value]) => [name, services.masker.mask(value)]));
    return {
      name: metric.name,
      phase: "Pending",
      ...(dryRun ? { dryRun } : {}),
      ...(told.length > 0 ? { metadata } : {}),
    };
  }

  function earliest(metrics: readonly Metric[], status: AnalysisRunStatus): Date | undefined {
    // What is in flight when the run is to end is ended at once.
    if (isTerminating(status, false) && status.metricResults?.some(isInFlight)) return now();
    const times = metrics.flatMap((metric) => {
      const result = status.metricResults?.find(({ name }) => name === metric.name);
      return nextMeasurement(metric, result, status.startedAt, now()) ?? [];
    });
    return times.sort((a, b) => a.getTime() - b.getTime())[0];
  }

  function secondsUntil(time: Date): number {
    return Math.max(0, (time.getTime() - now().getTime()) / 1000);
  }

  function completed(status: AnalysisRunStatus): AnalysisRunStatus {
    return isOver(status.phase) ? { ...status, completedAt: toTime(now()) } : status;
  }

  async function write(run: AnalysisRun, status: AnalysisRunStatus): Promise<void> {
    await store.write([{ op: "status", ref: refOf(run), status }]);
  }

  return {
    kind: "AnalysisRun",
    concurrency: services.concurrency ?? 20,
    reconcile: (ref, signal) => retryConflicts(() => reconcile(ref, signal)),
    enqueueFor({ type, resource }) {
      if (resource.kind !== "AnalysisRun") return [];
      const { uid = "", generation } = resource.metadata;
      const isLast = type === "DELETED" || isOver((resource as AnalysisRun).status?.phase);
      const isNews = type === "DELETED" || generations.get(uid) !== generation;
      if (isLast) generations.delete(uid);
      else generations.set(uid, generation);
      return isNews ? [refOf(resource)] : [];
    },
    async initial() {
      const unfinished = { "status.phase": [null, "", "Pending", "Running"] };
      return (await store.list({ kind: "AnalysisRun", where: unfinished })).map(refOf);
    },
  };
}

function nameOf({ project, name }: ResourceRef): string {
  return `${project}/${name}`;
}
