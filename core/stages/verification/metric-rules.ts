import { RE2JS } from "re2js";
import type { Metric } from "#core/resources/analysis-template.ts";

/** How many measurements of a metric are kept where nothing else is said. */
const defaultKept = 10;

/** The metrics that rules name, by a regular expression. Throws when a rule names none. */
export function matchingMetrics(
  what: string,
  rules: readonly { metricName: string }[],
  metrics: readonly Metric[],
): Set<string> {
  const matching = rules.flatMap(({ metricName }, index) => {
    const names = metrics.map(({ name }) => name).filter((name) => matches(metricName, name));
    if (names.length > 0) return names;
    throw new Error(`Analysis spec invalid: ${what}[${index}]: Rule didn't match any metric name(s)`);
  });
  return new Set(matching);
}

/** Tells how many measurements of a metric are kept: as many as the last rule that matches says. */
export function keptMeasurements(
  rules: readonly { metricName: string; limit: number }[],
  metrics: readonly Metric[],
): (metric: string) => number {
  matchingMetrics("measurementRetention", rules, metrics);
  return (metric) => {
    const limit = rules.findLast(({ metricName }) => matches(metricName, metric))?.limit;
    return limit !== undefined && limit > 0 ? limit : defaultKept;
  };
}

/** As Argo has it: the expression may match anywhere in the name. What is no expression is a name. */
function matches(pattern: string, name: string): boolean {
  if (pattern === name) return true;
  try {
    return RE2JS.compile(pattern).matcher(name).find();
  } catch {
    return false;
  }
}
