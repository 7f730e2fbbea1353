import { type Application, errorConditions, isStale, sourcesOf, titleOf } from "#core/argocd/application.ts";
import type { HealthState } from "#core/resources/stage.ts";

/** What one Application means for the health of its stage, and why it is not good. */
export interface Verdict {
  state: HealthState;
  issues: string[];
}

const healthy: Verdict = { state: "Healthy", issues: [] };

/**
 * What the Application's state means for its stage. `desired` are revisions for each source, "" where any will
 * do. Revisions come before health: a wrong one shows at once, while health may still be that from before.
 */
export function judgeApplication(app: Application, desired: readonly string[]): Verdict {
  const title = titleOf(app);
  if (isStale(app)) {
    const issue = `${title} has not been looked at by Argo CD since its last operation, so its health is not trusted`;
    return { state: "Unknown", issues: [issue] };
  }
  const conditions = errorConditions(app);
  if (conditions.length > 0) {
    const issues = conditions.map(({ type, message }) => `${title} has "${type}" condition: ${message}`);
    return { state: "Unhealthy", issues };
  }
  const bySync = judgeSync(app, desired);
  return bySync.issues.length > 0 ? bySync : judgeHealth(app);
}

function judgeSync(app: Application, desired: readonly string[]): Verdict {
  if (desired.every((revision) => revision === "")) return healthy;
  const { operation, status } = app;
  const title = titleOf(app);
  const unclear = (issue: string): Verdict => ({ state: "Unknown", issues: [issue] });
  if (operation?.sync || !status.operationState?.finishedAt) return unclear(`${title} is being synced`);
  const sources = sourcesOf(app);
  const { revision, revisions } = status.sync ?? {};
  const observed = revisions?.length ? revisions : [revision ?? ""];
  if (sources.length !== desired.length || observed.length !== desired.length) {
    const found = `${sources.length} sources at ${observed.length} revisions`;
    return unclear(`${title} has ${found}, and ${desired.length} are wanted`);
  }
  const issues = desired.flatMap((wanted, index) => {
    if (wanted === "" || observed[index] === wanted) return [];
    const where = `source ${index} (${sources[index]?.repoURL})`;
    return `${title} is not at the desired revision: ${where} is at "${observed[index]}", wanted is "${wanted}"`;
  });
  return issues.length > 0 ? { state: "Unhealthy", issues } : healthy;
}

function judgeHealth(app: Application): Verdict {
  const status = app.status.health?.status ?? "";
  const title = titleOf(app);
  switch (status) {
    case "Healthy":
      return healthy;
    case "Progressing":
    case "":
      return { state: "Progressing", issues: [`${title} is progressing`] };
    case "Suspended":
      // It goes on once somebody lifts the suspension.
      return { state: "Progressing", issues: [`${title} is suspended`] };
    default:
      return { state: "Unhealthy", issues: [`${title} has health state "${status}"`] };
  }
}
