import type {
  AnalysisPhase,
  AnalysisRunStatus,
  Measurement,
  MetricResult,
} from "#core/resources/analysis-run.ts";
import type { Metric } from "#core/resources/analysis-template.ts";
import { parseDuration } from "#core/resources/duration.ts";
import { toInteger } from "#core/stages/verification/check-metrics.ts";
import { isOver } from "#core/stages/verification/phases.ts";

/** How soon a measurement that could not be taken is tried again. */
const errorRetryMilliseconds = 10_000;
const defaultErrorLimit = 4;
/** From the best to the worst. */
const severity: readonly AnalysisPhase[] = [
  "Successful",
  "Running",
  "Pending",
  "Inconclusive",
  "Error",
  "Failed",
];

/** When the metric is to be measured next; undefined when it has its result. */
export function nextMeasurement(
  metric: Metric,
  result: MetricResult | undefined,
  startedAt: string | undefined,
  now: Date,
): Date | undefined {
  if (result !== undefined && isOver(result.phase)) return undefined;
  const last = result?.measurements?.at(-1);
  if (last === undefined) {
    const start = startedAt === undefined ? now.getTime() : Date.parse(startedAt);
    return new Date(start + (parseDuration(metric.initialDelay || "0s") ?? 0));
  }
  if (isInFlight(result)) return last.resumeAt === undefined ? now : new Date(last.resumeAt);
  const count = effectiveCount(metric);
  if (count !== undefined && (result?.count ?? 0) >= count) return undefined;
  const isRegular = last.phase !== "Error" && Boolean(metric.interval);
  const pause = (isRegular ? parseDuration(metric.interval ?? "") : undefined) ?? errorRetryMilliseconds;
  return new Date(Date.parse(last.finishedAt ?? "") + pause);
}

/** Whether the metric's last measurement was begun and is not over. */
export function isInFlight(result: MetricResult | undefined): boolean {
  const last = result?.measurements?.at(-1);
  return last !== undefined && !isOver(last.phase);
}

/**
 * The metric's result with one more measurement, which takes the place of one that was not over. No more
 * than `kept` of them stay in it.
 */
export function addMeasurement(result: MetricResult, measurement: Measurement, kept: number): MetricResult {
  const next = { ...result, phase: "Running" as AnalysisPhase };
  const add = (field: "successful" | "failed" | "inconclusive" | "error") => {
    next[field] = (next[field] ?? 0) + 1;
  };
  const earlier = result.measurements ?? [];
  next.measurements = [...(isInFlight(result) ? earlier.slice(0, -1) : earlier), measurement].slice(-kept);
  if (!isOver(measurement.phase)) return next;
  delete next.consecutiveSuccess;
  if (measurement.phase === "Error") {
    add("error");
    next.consecutiveError = (result.consecutiveError ?? 0) + 1;
    return next;
  }
  next.count = (result.count ?? 0) + 1;
  delete next.consecutiveError;
  if (measurement.phase === "Successful") {
    add("successful");
    next.consecutiveSuccess = (result.consecutiveSuccess ?? 0) + 1;
  } else {
    add(measurement.phase === "Failed" ? "failed" : "inconclusive");
  }
  return next;
}

/** Whether no new measurement is to be begun, and what is in flight is to be ended. */
export function isTerminating(status: AnalysisRunStatus, terminate: boolean): boolean {
  return terminate || (status.metricResults ?? []).some(endsRun);
}

/** Gives every metric its phase, and the run the one that follows from them. */
export function assessRun(
  metrics: readonly Metric[],
  status: AnalysisRunStatus,
  terminate: boolean,
): AnalysisRunStatus {
  const isEnding = isTerminating(status, terminate);
  const results = (status.metricResults ?? []).map((result) => {
    const metric = metrics.find(({ name }) => name === result.name);
    return metric === undefined ? result : assessMetric(metric, result, isEnding);
  });
  const summary = { ...status, metricResults: results, ...summaries(metrics, results) };
  // What has ended the run ends the other metrics too.
  if (!isEnding && results.some(endsRun)) return assessRun(metrics, summary, terminate);

  const deciding = results.filter(({ dryRun }) => !dryRun);
  const isComplete = metrics.every(({ name }) =>
    isOver(results.find((result) => result.name === name)?.phase),
  );
  if (!isComplete && (!isEnding || results.some(isInFlight))) return { ...summary, phase: "Running" };
  const worst = worstOf(deciding);
  const message = messageOf(metrics, worst) ?? (terminate ? "Run Terminated" : undefined);
  return { ...summary, phase: worst?.phase ?? "Successful", ...(message ? { message } : {}) };
}

function endsRun({ phase, dryRun }: MetricResult): boolean {
  return !dryRun && isOver(phase) && phase !== "Successful";
}

function assessMetric(metric: Metric, result: MetricResult, isEnding: boolean): MetricResult {
  if (isOver(result.phase)) return result;
  const phase = phaseOf(metric, result, isEnding);
  const because = result.dryRun ? exceededLimit(metric, result)?.because : undefined;
  const message = because
    ? `Metric assessed ${phase} due to ${because}`
    : result.measurements?.at(-1)?.message;
  return { ...result, phase, ...(isOver(phase) && message ? { message } : {}) };
}

function phaseOf(metric: Metric, result: MetricResult, isEnding: boolean): AnalysisPhase {
  if (isInFlight(result)) return "Running";
  const exceeded = exceededLimit(metric, result);
  if (exceeded !== undefined) return exceeded.phase;
  const enough = toInteger(metric.consecutiveSuccessLimit, 0);
  if (enough > 0 && (result.consecutiveSuccess ?? 0) >= enough) return "Successful";
  const count = effectiveCount(metric);
  const isCounted = count !== undefined && (result.count ?? 0) >= count;
  if (isCounted && enough > 0) return toInteger(metric.failureLimit, 0) < 0 ? "Failed" : "Inconclusive";
  if (isCounted || isEnding) return "Successful";
  return (result.measurements ?? []).length === 0 ? "Pending" : "Running";
}

/** The limit that the metric is over, with the words of it. A failure limit of -1 bears any number. */
function exceededLimit(
  metric: Metric,
  { failed = 0, inconclusive = 0, consecutiveError = 0 }: MetricResult,
): { phase: AnalysisPhase; because: string } | undefined {
  const failureLimit = toInteger(metric.failureLimit, 0);
  if (failureLimit >= 0 && failed > failureLimit) {
    return { phase: "Failed", because: `failed (${failed}) > failureLimit (${failureLimit})` };
  }
  const inconclusiveLimit = toInteger(metric.inconclusiveLimit, 0);
  if (inconclusive > inconclusiveLimit) {
    const because = `inconclusive (${inconclusive}) > inconclusiveLimit (${inconclusiveLimit})`;
    return { phase: "Inconclusive", because };
  }
  const errorLimit = toInteger(metric.consecutiveErrorLimit, defaultErrorLimit);
  if (consecutiveError > errorLimit) {
    const because = `consecutiveErrors (${consecutiveError}) > consecutiveErrorLimit (${errorLimit})`;
    return { phase: "Error", because };
  }
  return undefined;
}

function worstOf(results: readonly MetricResult[]): MetricResult | undefined {
  const rank = ({ phase }: MetricResult) => severity.indexOf(phase);
  return results.filter(({ phase }) => isOver(phase)).sort((a, b) => rank(b) - rank(a))[0];
}

function messageOf(metrics: readonly Metric[], worst: MetricResult | undefined): string | undefined {
  const metric = metrics.find(({ name }) => name === worst?.name);
  if (metric === undefined || worst === undefined) return undefined;
  const exceeded = exceededLimit(metric, worst);
  if (exceeded === undefined) return undefined;
  const detail = worst.message ? `: "Error Message: ${worst.message}"` : "";
  return `Metric "${worst.name}" assessed ${worst.phase} due to ${exceeded.because}${detail}`;
}

function summaries(
  metrics: readonly Metric[],
  results: readonly MetricResult[],
): Pick<AnalysisRunStatus, "runSummary" | "dryRunSummary"> {
  const summarize = (isDry: boolean) => {
    const own = results.filter(({ dryRun = false }) => dryRun === isDry);
    const dry = results.filter(({ dryRun }) => dryRun).length;
    const summary: NonNullable<AnalysisRunStatus["runSummary"]> = {};
    const count = isDry ? dry : metrics.length - dry;
    if (count > 0) summary.count = count;
    for (const [field, phase] of [
      ["successful", "Successful"],
      ["failed", "Failed"],
      ["inconclusive", "Inconclusive"],
      ["error", "Error"],
    ] as const) {
      const number = own.filter((result) => result.phase === phase).length;
      if (number > 0) summary[field] = number;
    }
    return summary;
  };
  return { runSummary: summarize(false), dryRunSummary: summarize(true) };
}

/** Without a count a metric is measured once, or with an interval until something else ends it. */
function effectiveCount({ count, interval }: Metric): number | undefined {
  const given = toInteger(count, 0);
  if (given !== 0) return given;
  return interval ? undefined : 1;
}
