import { type StepFailure, toStepFailure } from "#core/failure.ts";
import type { Outcome } from "#core/step.ts";

export type AttemptResult =
  | { end: "outcome"; outcome: Outcome }
  | { end: "failure"; failure: StepFailure }
  /** The step's time was up and it did not make it. */
  | { end: "timedOut" }
  /** The promotion was aborted or the daemon is stopping: nothing is known of how it would have ended. */
  | { end: "interrupted" };

export interface AttemptLimits {
  /** Aborted when the promotion is aborted or the daemon stops. */
  signal: AbortSignal;
  /** After this the work is aborted; Infinity for never. */
  millisecondsLeft: number;
  /** How long aborted work may take to end before it is given up. */
  graceMilliseconds: number;
}

const longestTimer = 2 ** 31 - 1;

/** Does the work once. Work that succeeds although it was told to end has succeeded. */
export async function attempt(
  work: (signal: AbortSignal) => Promise<Outcome>,
  { signal, millisecondsLeft, graceMilliseconds }: AttemptLimits,
): Promise<AttemptResult> {
  const timeUp = new AbortController();
  const timer =
    millisecondsLeft > longestTimer
      ? undefined
      : setTimeout(() => timeUp.abort(new Error("the step's time is up")), millisecondsLeft);
  const either = AbortSignal.any([signal, timeUp.signal]);
  try {
    return { end: "outcome", outcome: await endedOrGivenUp(work(either), either, graceMilliseconds) };
  } catch (thrown) {
    if (signal.aborted) return { end: "interrupted" };
    if (timeUp.signal.aborted) return { end: "timedOut" };
    return { end: "failure", failure: toStepFailure(thrown) };
  } finally {
    clearTimeout(timer);
  }
}

/** Waits for the work, but not for ever once it was told to end: a step that does not listen must not hold its stage. */
async function endedOrGivenUp<T>(
  work: Promise<T>,
  signal: AbortSignal,
  graceMilliseconds: number,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort: (() => void) | undefined;
  const givenUp = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(signal.reason), graceMilliseconds);
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    clearTimeout(timer);
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
}
