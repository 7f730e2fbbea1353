/**
 * Under which name the logs of an AnalysisRun are kept, where those of a promotion stand under the
 * promotion's. No resource can be called so.
 */
export function analysisLogOwner(run: string): string {
  return `analysis-run/${run}`;
}
