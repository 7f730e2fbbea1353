/**
 * What a module of steps imports as `towpath/step`. Its version changes when a step that was made for an earlier
 * one could no longer run; what is only added does not change it.
 */

/** Version of the contract between Towpath and steps that others wrote. */
export const contractVersion = 1;

export { z } from "zod";
export { type FailureKind, StepFailure } from "#core/failure.ts";
export {
  defineStep,
  type Exec,
  type ExecOptions,
  type ExecResult,
  type Fetch,
  type FetchOptions,
  type HealthCheck,
  type Outcome,
  type StepContext,
  type StepDefinition,
  type StepExample,
  type StepLog,
  type StepOutput,
  skipped,
  succeeded,
  waiting,
} from "#core/step.ts";
export type { Workspace } from "#core/workspace.ts";
