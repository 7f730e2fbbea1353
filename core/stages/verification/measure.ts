import type { Masker } from "#core/credentials/masker.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import type { Jobs, Measured, MetricContext } from "#core/metrics/provider.ts";
import type { AnalysisRun, Measurement, MetricResult } from "#core/resources/analysis-run.ts";
import type { Metric } from "#core/resources/analysis-template.ts";
import { refOf } from "#core/resources/resource.ts";
import { toTime } from "#core/stages/times.ts";
import { isInFlight } from "#core/stages/verification/assess.ts";
import { providerOf } from "#core/stages/verification/check-metrics.ts";
import { judge } from "#core/stages/verification/judge.ts";
import type { Fetch } from "#core/step.ts";
import type { Store } from "#core/store/store.ts";

/** Where Secrets stand that every project may use. */
const sharedProject = "kargo-shared-resources";

export interface MeasureServices {
  store: Store;
  expressions: Pick<Expressions, "evaluate">;
  fetch: Fetch;
  masker: Pick<Masker, "add" | "mask">;
  now(): Date;
  jobs?: Jobs;
  env?: Readonly<Record<string, string | undefined>>;
}

export interface MeasureRequest {
  run: AnalysisRun;
  /** Its arguments filled in. */
  metric: Metric;
  result: MetricResult;
  signal: AbortSignal;
}

/** Takes a measurement, or asks after the one that is in flight. */
export async function measure(services: MeasureServices, request: MeasureRequest): Promise<Measurement> {
  const { now, masker } = services;
  const { metric, result, signal } = request;
  const begun = isInFlight(result) ? result.measurements?.at(-1) : undefined;
  const startedAt = begun?.startedAt ?? toTime(now());
  const metadata = begun?.metadata ?? {};
  try {
    const { provider, config } = providerOf(metric);
    const context = contextOf(services, request);
    const asked =
      begun === undefined || provider.resume === undefined
        ? provider.measure(config, context)
        : provider.resume(config, context, { metadata, startedAt });
    const measured = await toMeasurement(services, metric, await asked);
    return { ...measured, startedAt, ...(measured.phase === "Running" ? {} : { finishedAt: toTime(now()) }) };
  } catch (error) {
    signal.throwIfAborted();
    const message = masker.mask(error instanceof Error ? error.message : String(error));
    const kept = Object.keys(metadata).length > 0 ? { metadata } : {};
    return { phase: "Error", message, ...kept, startedAt, finishedAt: toTime(now()) };
  }
}

/** Ends the measurement that is in flight: nobody waits for it any more. */
export async function endMeasurement(
  services: MeasureServices,
  request: MeasureRequest,
): Promise<Measurement> {
  const { metadata = {}, startedAt = "" } = request.result.measurements?.at(-1) ?? {};
  const finishedAt = toTime(services.now());
  const { provider, config } = providerOf(request.metric);
  try {
    await provider.terminate?.(config, contextOf(services, request), { metadata, startedAt });
    return { phase: "Inconclusive", message: "Metric Terminated", metadata, startedAt, finishedAt };
  } catch (error) {
    request.signal.throwIfAborted();
    const message = services.masker.mask(error instanceof Error ? error.message : String(error));
    return { phase: "Error", message, metadata, startedAt, finishedAt };
  }
}

async function toMeasurement(
  { expressions, masker, now }: MeasureServices,
  metric: Metric,
  measured: Measured,
): Promise<Measurement> {
  const metadata = measured.metadata === undefined ? {} : { metadata: masked(measured.metadata, masker) };
  if (!("phase" in measured)) {
    const phase = await judge(expressions, metric, measured.value);
    return { phase, value: masker.mask(measured.text), ...metadata };
  }
  if (measured.phase === "Running") {
    const resumeAt = toTime(new Date(now().getTime() + measured.resumeInSeconds * 1000));
    return { phase: "Running", resumeAt, ...metadata };
  }
  const message = measured.message ? { message: masker.mask(measured.message) } : {};
  return { phase: measured.phase, ...message, ...metadata };
}

function contextOf(
  { store, masker, fetch, now, jobs, env = {}, expressions }: MeasureServices,
  { run, metric, result, signal }: MeasureRequest,
): MetricContext {
  const project = run.metadata.namespace;
  return {
    fetch,
    signal,
    now,
    jobs,
    env,
    run: { ...refOf(run), uid: run.metadata.uid ?? "" },
    metric: metric.name,
    number: (result.count ?? 0) + (result.error ?? 0) + 1,
    evaluate: (expression) => expressions.evaluate(expression, { env: {}, functions: {} }),
    async secret(name, { plain, onlyOfProject = false }) {
      for (const owner of onlyOfProject ? [project] : [project, sharedProject]) {
        const found = await store.get({ kind: "Secret", project: owner, name });
        if (found === undefined) continue;
        const values = secretValues(found);
        for (const [field, value] of Object.entries(values)) {
          if (!plain.includes(field)) masker.add(value);
        }
        return values;
      }
      return undefined;
    },
  };
}

function masked(
  metadata: Readonly<Record<string, string>>,
  { mask }: Pick<Masker, "mask">,
): Record<string, string> {
  return Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, mask(value)]));
}
