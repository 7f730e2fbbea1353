import type { StepFailure } from "#core/failure.ts";
import type { AttemptResult } from "#core/promotion/attempt.ts";
import type { StepRules } from "#core/promotion/step-rules.ts";
import { formatDuration } from "#core/resources/duration.ts";
import type { PromotionStepStatus, StepExecutionMetadata } from "#core/resources/promotion.ts";
import type { Outcome } from "#core/step.ts";

export interface Verdict {
  /** The step is over, whichever way. */
  over: boolean;
  /** When it is not: seconds until the next attempt; Infinity when only a wake-up brings news. */
  retryInSeconds: number;
  /** Transient failures in a row that were not counted as errors. */
  transientTries: number;
}

/** Pauses after the transient failures that are not counted yet; what fails after the last of them counts. */
const transientPauses: readonly number[] = [1, 2, 5, 15, 30];
const longestErrorPause = 300;
/** A step that asks to be run again at once still lets others have a turn. */
const shortestPause = 1;

const over: Verdict = { over: true, retryInSeconds: 0, transientTries: 0 };

/** Writes into the step's record what an attempt that was not interrupted means for it. */
export function settle(
  record: StepExecutionMetadata,
  result: Exclude<AttemptResult, { end: "interrupted" }>,
  rules: StepRules,
  transientTries: number,
  now: Date,
): Verdict {
  switch (result.end) {
    case "outcome":
      return settleOutcome(record, result.outcome, rules, now);
    case "failure":
      return settleFailure(record, result.failure, rules, transientTries, now);
    case "timedOut":
      return timeOut(record, rules, now);
    default:
      return result satisfies never;
  }
}

function settleOutcome(
  record: StepExecutionMetadata,
  outcome: Outcome,
  rules: StepRules,
  now: Date,
): Verdict {
  switch (outcome.status) {
    case "succeeded":
      return finish(record, "Succeeded", outcome.message, now);
    case "skipped":
      return finish(record, "Skipped", outcome.message, now);
    case "waiting":
      setStatus(record, "Running", outcome.message);
      return later(record, rules, now, Math.max(outcome.retryInSeconds, shortestPause), 0);
    default:
      return outcome satisfies never;
  }
}

function settleFailure(
  record: StepExecutionMetadata,
  failure: StepFailure,
  rules: StepRules,
  transientTries: number,
  now: Date,
): Verdict {
  const said =
    failure.status === "Errored"
      ? `error running step "${record.alias}": ${failure.message}`
      : `step "${record.alias}": ${failure.message}`;

  if (failure.terminal) {
    const message = failure.status === "Failed" ? said : `an unrecoverable error occurred: ${said}`;
    return finish(record, failure.status, message, now);
  }
  const pause = failure.transient ? transientPauses[transientTries] : undefined;
  if (pause !== undefined) {
    setStatus(record, "Running", `${said}; trying again in ${pause}s`);
    return later(record, rules, now, pause, transientTries + 1);
  }
  record.errorCount = (record.errorCount ?? 0) + 1;
  if (record.errorCount >= rules.errorThreshold) {
    const message = `step "${record.alias}" met error threshold of ${rules.errorThreshold}: ${said}`;
    return finish(record, failure.status, message, now);
  }
  setStatus(record, failure.status, `${said}; step will be retried`);
  return later(record, rules, now, Math.min(2 ** (record.errorCount - 1), longestErrorPause), 0);
}

/** Milliseconds until the step's time is up; Infinity without a time-out. */
export function millisecondsLeft(record: StepExecutionMetadata, rules: StepRules, now: Date): number {
  if (rules.timeoutMilliseconds <= 0 || record.startedAt === undefined) return Infinity;
  return Date.parse(record.startedAt) + rules.timeoutMilliseconds - now.getTime();
}

function later(
  record: StepExecutionMetadata,
  rules: StepRules,
  now: Date,
  pauseInSeconds: number,
  transientTries: number,
): Verdict {
  const left = millisecondsLeft(record, rules, now);
  if (left <= 0) return timeOut(record, rules, now);
  return { over: false, retryInSeconds: Math.min(pauseInSeconds, left / 1000), transientTries };
}

function timeOut(record: StepExecutionMetadata, rules: StepRules, now: Date): Verdict {
  const after = formatDuration(rules.timeoutMilliseconds);
  return finish(record, "Errored", `step "${record.alias}" timed out after ${after}`, now);
}

function finish(
  record: StepExecutionMetadata,
  status: PromotionStepStatus,
  message: string | undefined,
  now: Date,
): Verdict {
  setStatus(record, status, message);
  record.finishedAt = now.toISOString();
  return over;
}

export function setStatus(
  record: StepExecutionMetadata,
  status: PromotionStepStatus,
  message: string | undefined,
): void {
  record.status = status;
  if (message) record.message = message;
  else delete record.message;
}
