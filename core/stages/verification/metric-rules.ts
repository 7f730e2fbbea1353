import { RE2JS } from "re2js";
import type { Metric } from "#core/resources/analysis-template.ts";

/** How many measurements of a metric are kept where nothing else is said. */
const defaultKept = 10;

/** The metrics that rules name, by a name or a regular expression. Throws when a rule names none. */
export function matchingMetrics(
  what: string,
  rules: readonly { metricName: string }[],
  metrics: readonly Metric[],
): Set<string> {
  const matching = rules.flatMap(({ metricName }, index) => {
    const names = metrics.map(({ name }) => name).filter((name) => matches(metricName, name));
    if (names.length > 0) return names;
    throw new Error(`${what}[${index}]: Rule didn't match any metric name(s)`);
  });
  return new Set(matching);
}

/** Tells how many measurements of a metric are kept. */
export function keptMeasurements(
  rules: readonly { metricName: string; limit: number }[],
  metrics: readonly Metric[],
): (metric: string) => number {
  matchingMetrics("measurementRetention", rules, metrics);
  return (metric) => {
    const limit = rules.find(({ metricName }) => matches(metricName, metric))?.limit;
    return limit !== undefined && limit > 0 ? limit : defaultKept;
  };
}

function matches(pattern: string, name: string): boolean {
  return pattern === name || RE2JS.compile(pattern).matches(name);
}
