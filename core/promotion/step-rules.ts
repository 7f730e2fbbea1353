import { parseDuration } from "#core/resources/duration.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";
import type { StepKind } from "#core/runner.ts";

/** When to give a step up. */
export interface StepRules {
  /** 0 for no time-out. */
  timeoutMilliseconds: number;
  /** How many counted errors end the step; at least 1. */
  errorThreshold: number;
}

/** What the template says, then what the step's kind does, then no time-out and one error. */
export function rulesOf(step: PromotionStep, kind: StepKind): StepRules {
  const { timeout, errorThreshold } = step.retry ?? {};
  return {
    timeoutMilliseconds:
      timeout === undefined ? (kind.defaultTimeoutSeconds ?? 0) * 1000 : (parseDuration(timeout) ?? 0),
    errorThreshold: Math.max(errorThreshold || kind.defaultErrorThreshold || 1, 1),
  };
}
