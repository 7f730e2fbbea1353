import type { Metric } from "#core/resources/analysis-template.ts";
import { parseDuration } from "#core/resources/duration.ts";
import type { MetricSource } from "#core/stages/verification/metric-source.ts";

/** Throws an error that says what no measurement could mend: what is missing or contradicts itself. */
export function checkMetrics(
  metrics: readonly Metric[],
  sources: Readonly<Record<string, MetricSource>>,
): void {
  if (metrics.length === 0) throw new Error("Analysis spec invalid: no metrics specified");
  metrics.forEach((metric, index) => {
    const problem = problemOf(metric, metrics.slice(0, index)) ?? sourceProblem(metric, sources);
    if (problem !== undefined) throw new Error(`Analysis spec invalid: metrics[${index}]: ${problem}`);
  });
}

/** A whole number that may be written as text. */
export function toInteger(value: number | string | undefined, otherwise: number): number {
  if (value === undefined || value === "") return otherwise;
  const number = Number(value);
  if (Number.isInteger(number)) return number;
  throw new Error(`"${value}" is no whole number`);
}

function problemOf(metric: Metric, earlier: readonly Metric[]): string | undefined {
  const { name, interval, initialDelay, failureLimit, inconclusiveLimit } = metric;
  if (earlier.some((one) => one.name === name)) return `duplicate name "${name}"`;
  for (const duration of [interval, initialDelay]) {
    if (duration === undefined || parseDuration(duration) !== undefined) continue;
    return `"${duration}" is no duration such as 30s or 5m`;
  }
  const count = toInteger(metric.count, 0);
  if (count > 1 && interval === undefined) return "interval must be specified when count > 1";
  if (count > 0 && count < toInteger(failureLimit, 0)) return "count must be >= failureLimit";
  if (count > 0 && count < toInteger(inconclusiveLimit, 0)) return "count must be >= inconclusiveLimit";
  if (toInteger(metric.consecutiveErrorLimit, 0) < 0) return "consecutiveErrorLimit must be >= 0";
  return undefined;
}

function sourceProblem({ name, provider }: Metric, sources: Readonly<Record<string, MetricSource>>) {
  const [kind, ...others] = Object.keys(provider);
  if (kind === undefined) return "no provider specified";
  if (others.length > 0) return "multiple providers specified";
  if (sources[kind] !== undefined) return undefined;
  const known = Object.keys(sources).sort().join(", ");
  return `the provider "${kind}" of metric "${name}" is not available in this daemon, which has: ${known}`;
}
