import type { FreightReference } from "#core/resources/freight.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import type { Outcome } from "#core/step.ts";
import type { LogLine } from "#core/store/store.ts";

/** One attempt at one step, prepared: expressions evaluated, nothing left to look up. Never stored as it is. */
export interface Invocation {
  /** `uses:` of the step. */
  kind: string;
  /** Evaluated, not yet parsed by the step's schema. */
  config: Record<string, unknown>;
  project: string;
  stage: string;
  promotion: string;
  promotionUid: string;
  alias: string;
  /** Counts from 1; waiting does not start a new attempt. */
  attempt: number;
  actor: string;
  rollback: boolean;
  uiBaseUrl: string;
  /** When the step was first started; RFC 3339. */
  startedAt: string;
  /** Absolute path. */
  workspace: string;
  freight: readonly FreightReference[];
  freightRequests: readonly FreightRequest[];
  targetFreight: FreightReference | undefined;
  targetFreightAlias: string;
  outputs: Record<string, unknown>;
  vars: Record<string, unknown>;
}

/** What the engine lends a runner for one invocation. */
export interface RunnerIO {
  signal: AbortSignal;
  /** `at` is given where the line's time is known better than from its arrival. */
  log(line: RunnerLogLine): void;
  /**
   * When the last line of this stream that is in the step's log was written, as its `at` was given; tells
   * where a re-attached log goes on.
   */
  lastLogAt?(stream: LogLine["stream"]): Promise<string | undefined>;
}

export type RunnerLogLine = Omit<LogLine, "at"> & { at?: string };

/**
 * Where a step's work happens.
 *
 * `run` is called once for each attempt and each return to a waiting step. Aborting the signal ends the
 * work before `run` settles. Failures are thrown as StepFailure.
 */
export interface Runner {
  run(invocation: Invocation, io: RunnerIO): Promise<Outcome>;
  /**
   * After a restart: takes up the invocation where an earlier daemon left it and returns its outcome, or
   * returns undefined when nothing of it is left, and `run` is called. Runners whose work dies with the
   * daemon leave it out.
   */
  reattach?(invocation: Invocation, io: RunnerIO): Promise<Outcome | undefined>;
  /**
   * Hears of an invocation that will probably come, while an earlier step runs, and may begin with what takes
   * time and does no harm. It may never come, or come otherwise. What goes wrong is nobody's concern yet.
   */
  prepare?(invocation: Invocation): Promise<void>;
  /** After an abort: takes back what the step did, where its kind `takesBack`. May be called twice. */
  takeBack?(invocation: Invocation, io: RunnerIO): Promise<void>;
}

/** What the engine must know of a step kind. */
export interface StepKind {
  name: string;
  runner: Runner;
  defaultTimeoutSeconds?: number;
  defaultErrorThreshold?: number;
  taskOutput?: boolean;
  /** Whether something is to be done when a promotion is aborted that has begun the step. */
  takesBack?: boolean;
}

/** Finds step kinds by the name that `uses:` gives. */
export interface StepKinds {
  find(name: string): Promise<StepKind | undefined>;
  /** All known names, for "did you mean". */
  names(): Promise<string[]>;
}
