import type { FreightCollection, VerificationInfo, VerificationPhase } from "#core/resources/freight.ts";

const over: readonly VerificationPhase[] = ["Successful", "Failed", "Error", "Aborted", "Inconclusive"];

/** Said of a verification that somebody ended. It is Failed, as in Kargo, and says nothing about the freight. */
export const abortedMessage = "Verification aborted by user";

/** Whether a verification, or an AnalysisRun, has come to its end. */
export function isOver(phase: VerificationPhase | undefined): boolean {
  return phase !== undefined && over.includes(phase);
}

export function isUnderWay(collection: FreightCollection): boolean {
  return (collection.verificationHistory ?? []).some(({ phase }) => !isOver(phase));
}

const longestHistory = 10;

/** Puts a verification in the place of the one with its id, or before all others. */
export function record(collection: FreightCollection, verification: VerificationInfo): void {
  const history = collection.verificationHistory ?? [];
  const isKnown = history.some(({ id }) => id === verification.id);
  collection.verificationHistory = isKnown
    ? history.map((one) => (one.id === verification.id ? verification : one))
    : [verification, ...history].slice(0, longestHistory);
}
