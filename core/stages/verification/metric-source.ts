import type { AnalysisPhase } from "#core/resources/analysis-run.ts";
import type { Metric } from "#core/resources/analysis-template.ts";
import type { ResourceRef } from "#core/resources/resource.ts";
import type { Fetch } from "#core/step.ts";

/**
 * What a source found out: a value that the metric's conditions judge, or a judgement of its own. `text` is
 * how people read the value.
 */
export type Measured =
  | { value: unknown; text: string; metadata?: Record<string, string> }
  | {
      phase: Exclude<AnalysisPhase, "Pending" | "Running">;
      message?: string;
      metadata?: Record<string, string>;
    };

export interface MetricContext {
  fetch: Fetch;
  signal: AbortSignal;
  /** The AnalysisRun that the measurement is for. */
  run: ResourceRef;
}

/**
 * Takes one measurement of a metric whose arguments are filled in. What cannot be measured is thrown, and
 * counts as an Error. May be called again for the same measurement after a crash.
 */
export type MetricSource = (metric: Metric, context: MetricContext) => Promise<Measured>;
