import type {
  PromotionPhase,
  PromotionStepStatus,
  StepExecutionMetadata,
} from "#core/resources/promotion.ts";

/** From the best to the worst. */
const severities: readonly PromotionStepStatus[] = [
  "Succeeded",
  "Skipped",
  "Running",
  "Aborted",
  "Failed",
  "Errored",
];

/**
 * What becomes of a promotion whose steps are all over: the worst of them decides, the first of several
 * that are equally bad tells why. Steps that were allowed to fail do not count.
 */
export function finalPhase(records: readonly StepExecutionMetadata[]): {
  phase: PromotionPhase;
  message: string;
} {
  let worst: PromotionStepStatus = "Succeeded";
  let message = "";
  for (const record of records) {
    if (record.continueOnError || record.status === undefined) continue;
    if (severities.indexOf(record.status) <= severities.indexOf(worst)) continue;
    worst = record.status;
    message = record.message ?? "";
  }
  return { phase: phaseFor(worst), message };
}

function phaseFor(worst: PromotionStepStatus): PromotionPhase {
  switch (worst) {
    case "Succeeded":
    case "Skipped":
      return "Succeeded";
    case "Aborted":
    case "Failed":
    case "Errored":
      return worst;
    case "Running":
      // No step runs when all are over; were it so, nothing good could be said of it.
      return "Errored";
    default:
      return worst satisfies never;
  }
}

/** True once nothing more happens to a promotion. */
export function isFinished(phase: PromotionPhase | undefined): boolean {
  return phase === "Succeeded" || phase === "Failed" || phase === "Errored" || phase === "Aborted";
}
