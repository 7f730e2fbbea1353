import type { StepExecutionMetadata } from "#core/resources/promotion.ts";

/** True when a step failed or errored that was not allowed to. */
export function hasFailures(records: readonly StepExecutionMetadata[]): boolean {
  return records.some(
    ({ status, continueOnError }) => !continueOnError && (status === "Failed" || status === "Errored"),
  );
}
