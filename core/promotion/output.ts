import { StepFailure } from "#core/failure.ts";
import type { AttemptResult } from "#core/promotion/attempt.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";

/**
 * Refuses an output that is no JSON, or larger than allowed: all later steps would carry it, and every
 * write of the status.
 */
export function checkOutput(result: AttemptResult, step: PromotionStep, maxBytes: number): AttemptResult {
  const output = outputOf(result);
  if (output === undefined) return result;
  const problem = problemOf(output, maxBytes);
  if (problem === undefined) return result;
  const message = `Cannot keep the output of step "${step.as}": ${problem}`;
  return { end: "failure", failure: new StepFailure("refused", message) };
}

function problemOf(output: Record<string, unknown>, maxBytes: number): string | undefined {
  try {
    const bytes = Buffer.byteLength(JSON.stringify(output));
    return bytes > maxBytes ? `${bytes} bytes are more than the ${maxBytes} allowed` : undefined;
  } catch (error) {
    return `it is no JSON: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/**
 * What the attempt put out, also where it failed. A success without an output counts as an empty one, of which
 * expressions may ask any member: so it is with Kargo's.
 */
export function outputOf(result: AttemptResult): Record<string, unknown> | undefined {
  if (result.end === "outcome") {
    return result.outcome.output ?? (result.outcome.status === "succeeded" ? {} : undefined);
  }
  return result.end === "failure" ? result.failure.output : undefined;
}
