import type { AnalysisRun } from "#core/resources/analysis-run.ts";

/** When a run that is over is to be removed; undefined for one that stays. */
export function removalTime({ spec, status }: AnalysisRun): Date | undefined {
  const { secondsAfterCompletion, secondsAfterFailure, secondsAfterSuccess } = spec.ttlStrategy ?? {};
  if (status?.completedAt === undefined) return undefined;
  const ofPhase =
    status.phase === "Successful"
      ? secondsAfterSuccess
      : status.phase === "Failed"
        ? secondsAfterFailure
        : undefined;
  const seconds = ofPhase ?? secondsAfterCompletion;
  return seconds === undefined ? undefined : new Date(Date.parse(status.completedAt) + seconds * 1000);
}
