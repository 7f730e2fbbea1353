import type { z } from "zod";
import type { ResourceRef } from "#core/resources/resource.ts";
import type { Fetch } from "#core/step.ts";

/** How a measurement ended. */
export type MeasuredPhase = "Successful" | "Failed" | "Error" | "Inconclusive";

/**
 * What a provider found out: a value that the metric's conditions judge (`text` is how people read it), a
 * judgement of its own, or that it is still at work and wants to be asked again.
 */
export type Measured =
  | { value: unknown; text: string; metadata?: Readonly<Record<string, string>> }
  | { phase: MeasuredPhase; message?: string; metadata?: Readonly<Record<string, string>> }
  | { phase: "Running"; resumeInSeconds: number; metadata: Readonly<Record<string, string>> };

/** A measurement that was begun: what the provider noted of it, and when. */
export interface BegunMeasurement {
  metadata: Readonly<Record<string, string>>;
  /** RFC 3339. */
  startedAt: string;
}

/** All that a provider can reach of the world. */
export interface MetricContext {
  /** Under the egress rules. */
  fetch: Fetch;
  signal: AbortSignal;
  now(): Date;
  /** The AnalysisRun that the measurement is for. */
  run: ResourceRef & { uid: string };
  metric: string;
  /** Which measurement of the metric it is; the first is 1. */
  number: number;
  /**
   * A Secret's values: of the run's project, or, where it has none of that name, of those that all projects
   * share. Undefined when there is none. All of them are masked from then on but those called `plain`.
   */
  secret(
    name: string,
    options: { plain: readonly string[]; onlyOfProject?: boolean },
  ): Promise<Record<string, string> | undefined>;
  /** The daemon's own environment. */
  env: Readonly<Record<string, string | undefined>>;
  /** Evaluates an expression without variables. */
  evaluate(expression: string): Promise<unknown>;
  /** Runs containers; absent where there is no engine for them. */
  jobs?: Jobs;
}

/** A finite piece of work in containers. */
export interface Job {
  /** The same for the same measurement, whatever happens to the daemon in between. */
  id: string;
  run: ResourceRef & { uid: string };
  metric: string;
  /** As a Kubernetes Job's, arguments filled in. */
  spec: Readonly<Record<string, unknown>>;
}

export type JobState =
  | { phase: "running" }
  | { phase: "succeeded" }
  | { phase: "failed"; message: string }
  /** It can never run: its image cannot be had, for one. */
  | { phase: "stuck"; message: string };

/** Runs jobs. They outlive the daemon: one that was started is found again by its id. */
export interface Jobs {
  /** How the job stands. One that is not known is started, or taken up where an earlier daemon left it. */
  follow(job: Job): Promise<JobState>;
  /** Ends the job if it runs. */
  end(id: string): Promise<void>;
}

/**
 * Where measurements come from. Everything about one stands in a file of its own, named like it: what its
 * configuration may be, and how a measurement is taken.
 */
export interface MetricProvider<Config extends z.ZodType = z.ZodType> {
  /** What it is, in a few words. */
  summary: string;
  config: Config;
  /** What no measurement could mend. */
  problem?(config: z.output<Config>): string | undefined;
  /** What the metric's result tells beside its measurements. */
  resultMetadata?(config: z.output<Config>): Record<string, string>;
  /**
   * Takes one measurement, or begins it. What cannot be measured is thrown, and counts as an Error. May be
   * called again for the same measurement after a crash.
   */
  measure(config: z.output<Config>, context: MetricContext): Promise<Measured>;
  /** Asks after a measurement that was begun. */
  resume?(config: z.output<Config>, context: MetricContext, begun: BegunMeasurement): Promise<Measured>;
  /** Ends a measurement that was begun. */
  terminate?(config: z.output<Config>, context: MetricContext, begun: BegunMeasurement): Promise<void>;
}

/** Declares a provider, with its configuration's type taken from its schema. */
export function defineProvider<Config extends z.ZodType>(
  provider: MetricProvider<Config>,
): MetricProvider<Config> {
  return provider;
}
