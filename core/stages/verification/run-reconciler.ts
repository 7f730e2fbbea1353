import type { Masker } from "#core/credentials/masker.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import type {
  AnalysisRun,
  AnalysisRunStatus,
  Measurement,
  MetricResult,
} from "#core/resources/analysis-run.ts";
import type { Metric } from "#core/resources/analysis-template.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import { toTime } from "#core/stages/times.ts";
import { addMeasurement, assessRun, nextMeasurement } from "#core/stages/verification/assess.ts";
import { checkMetrics } from "#core/stages/verification/check-metrics.ts";
import { fillMetrics } from "#core/stages/verification/fill-metrics.ts";
import { clearedAway } from "#core/stages/verification/hidden-arguments.ts";
import { judge } from "#core/stages/verification/judge.ts";
import { keptMeasurements, matchingMetrics } from "#core/stages/verification/metric-rules.ts";
import type { MetricSource } from "#core/stages/verification/metric-source.ts";
import { isOver } from "#core/stages/verification/phases.ts";
import { prometheusMetric } from "#core/stages/verification/prometheus-metric.ts";
import { webMetric } from "#core/stages/verification/web-metric.ts";
import type { Fetch } from "#core/step.ts";
import { retryConflicts } from "#core/store/retry-conflicts.ts";
import type { Store } from "#core/store/store.ts";

export interface AnalysisServices {
  store: Store;
  expressions: Pick<Expressions, "evaluate">;
  /** Under the egress rules of the project. */
  fetch: Fetch;
  masker: Pick<Masker, "add" | "mask">;
  now(): Date;
  /** By what a metric calls its provider; `web` and `prometheus` are built in. */
  sources?: Readonly<Record<string, MetricSource>>;
  concurrency?: number;
}

/** Measures what AnalysisRuns ask for until they have their result. */
export function createAnalysisRunReconciler(services: AnalysisServices): Reconciler {
  const { store, now } = services;
  const sources: Readonly<Record<string, MetricSource>> = {
    web: webMetric,
    prometheus: prometheusMetric,
    ...services.sources,
  };
  /** Which generation was last seen: what this reconciler writes itself is no news to it. */
  const generations = new Map<string, number | undefined>();

  async function reconcile(
    ref: ResourceRef,
    signal: AbortSignal,
  ): Promise<{ requeueAfterSeconds?: number } | undefined> {
    const run = (await store.get(ref)) as AnalysisRun | undefined;
    if (run === undefined || isOver(run.status?.phase)) {
      await clearAway(ref);
      return undefined;
    }
    if (run.status?.startedAt === undefined) {
      run.status = { ...run.status, phase: "Running", startedAt: toTime(now()) };
      await write(run, run.status);
    }
    const outcome = await advance(run, run.status, signal);
    await write(run, outcome.status);
    if (isOver(outcome.status.phase)) await clearAway(ref);
    if (isOver(outcome.status.phase) || outcome.next === undefined) return undefined;
    return { requeueAfterSeconds: Math.max(0, (outcome.next.getTime() - now().getTime()) / 1000) };
  }

  async function clearAway({ project, name }: ResourceRef): Promise<void> {
    const writes = await clearedAway(store, { metadata: { namespace: project, name } });
    if (writes.length > 0) await store.write(writes);
  }

  async function advance(
    run: AnalysisRun,
    status: AnalysisRunStatus,
    signal: AbortSignal,
  ): Promise<{ status: AnalysisRunStatus; next?: Date }> {
    const terminate = run.spec.terminate === true;
    try {
      const metrics = await fillMetrics(services, run);
      checkMetrics(metrics, sources);
      const dryRun = matchingMetrics("dryRun", run.spec.dryRun ?? [], metrics);
      const kept = keptMeasurements(run.spec.measurementRetention ?? [], metrics);
      const measured = await Promise.all(
        metrics.map(async (metric) => {
          const known = status.metricResults?.find(({ name }) => name === metric.name);
          const result: MetricResult = known ?? {
            name: metric.name,
            phase: "Pending",
            ...(dryRun.has(metric.name) ? { dryRun: true } : {}),
          };
          const due = terminate ? undefined : nextMeasurement(metric, known, status.startedAt, now());
          if (due === undefined || due > now()) return result;
          return addMeasurement(result, await measure(run, metric, signal), kept(metric.name));
        }),
      );
      const assessed = assessRun(metrics, { ...status, metricResults: measured }, terminate);
      return { status: completed(assessed), next: earliest(metrics, assessed) };
    } catch (error) {
      signal.throwIfAborted();
      const message = services.masker.mask(messageOf(error));
      return { status: completed({ ...status, phase: "Error", message }) };
    }
  }

  async function measure(run: AnalysisRun, metric: Metric, signal: AbortSignal): Promise<Measurement> {
    const startedAt = toTime(now());
    const taken = await take(run, metric, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      return { phase: "Error" as const, message: services.masker.mask(messageOf(error)) };
    });
    return { ...taken, startedAt, finishedAt: toTime(now()) };
  }

  async function take(run: AnalysisRun, metric: Metric, signal: AbortSignal): Promise<Measurement> {
    const [kind = ""] = Object.keys(metric.provider);
    const source = sources[kind] as MetricSource;
    const measured = await source(metric, {
      fetch: services.fetch,
      signal,
      run: refOf(run),
    });
    if ("phase" in measured) return measured;
    const { value, text, metadata } = measured;
    const phase = await judge(services.expressions, metric, value);
    return { phase, value: services.masker.mask(text), ...(metadata ? { metadata } : {}) };
  }

  function earliest(metrics: readonly Metric[], status: AnalysisRunStatus): Date | undefined {
    const times = metrics.flatMap((metric) => {
      const result = status.metricResults?.find(({ name }) => name === metric.name);
      return nextMeasurement(metric, result, status.startedAt, now()) ?? [];
    });
    return times.sort((a, b) => a.getTime() - b.getTime())[0];
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
      const isNews = type === "DELETED" || (!isLast && generations.get(uid) !== generation);
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
