import { z } from "zod";
import {
  type Application,
  type ApplicationStatus,
  errorConditions,
  isStale,
  sourcesOf,
  titleFor,
  titleOf,
} from "#core/argocd/application.ts";
import { type ArgoClient, createArgoClient } from "#core/argocd/client.ts";
import type { ArgoConnection } from "#core/argocd/connection.ts";
import type { HealthState } from "#core/resources/stage.ts";
import { worstHealth } from "#core/stages/health-states.ts";
import type { HealthChecker } from "#core/stages/pass.ts";
import type { Fetch } from "#core/step.ts";

/** What argocd-update has the stage's health judged by. */
const Input = z.object({
  apps: z.array(
    z.object({
      name: z.string(),
      namespace: z.string().optional(),
      desiredRevisions: z.array(z.string()).default([]),
    }),
  ),
});

interface Verdict {
  state: HealthState;
  issues: string[];
}

/** One Application, as Kargo's page and command line expect it in the stage's status. */
interface AppReport extends Record<string, unknown> {
  Namespace: string;
  Name: string;
}

/** A stage waits for its health with all else that it does, so a server that hangs must not hold it up. */
const timeoutSeconds = 10;

const healthy: Verdict = { state: "Healthy", issues: [] };

/** Judges a stage by the Applications that argocd-update has brought to it, the worst of them counts. */
export function createArgoHealthChecker(parts: {
  argocdFor(project: string, stage: string): Promise<ArgoConnection | undefined>;
  fetchWith(signal: AbortSignal): Fetch;
}): HealthChecker {
  return async ({ project, stage, config }, signal) => {
    const input = Input.safeParse(config);
    if (!input.success) return unknown("the health check does not tell its Applications");
    const connection = await parts.argocdFor(project, stage);
    if (connection === undefined) return unknown("no Argo CD is set up for the project any more");
    const fetch = parts.fetchWith(signal);
    const argo = createArgoClient(connection, (url, options) => fetch(url, { timeoutSeconds, ...options }));
    const looks = await Promise.all(
      input.data.apps.map((app) =>
        lookAt(argo, app.name, app.namespace ?? argo.namespace, app.desiredRevisions),
      ),
    );
    signal.throwIfAborted();
    return {
      status: worstHealth(looks.map(({ verdict }) => verdict.state)),
      issues: looks.flatMap(({ verdict }) => verdict.issues),
      output: { applicationStatuses: looks.map(({ report }) => report) },
    };
  };
}

function unknown(issue: string) {
  return { status: "Unknown" as const, issues: [`Cannot tell the health of Argo CD Applications: ${issue}`] };
}

async function lookAt(
  argo: ArgoClient,
  name: string,
  namespace: string,
  desired: readonly string[],
): Promise<{ verdict: Verdict; report: AppReport }> {
  const notSeen = (issue: string) => ({
    verdict: { state: "Unknown", issues: [issue] } as Verdict,
    report: reportOn(name, namespace, { health: { status: "Unknown" }, sync: { status: "Unknown" } }),
  });
  try {
    const app = await argo.get(name, namespace);
    if (app === undefined) return notSeen(`Cannot find ${titleFor(name, namespace)}`);
    // Without being asked, Argo CD may not look at an Application again for minutes.
    if (isStale(app)) await argo.refresh(app);
    return { verdict: judgeApplication(app, desired), report: reportOn(name, namespace, app.status) };
  } catch (error) {
    return notSeen(error instanceof Error ? error.message : String(error));
  }
}

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

/** Without what changes at each look of Argo CD: a stage must not be written anew when nothing has happened. */
function reportOn(Name: string, Namespace: string, status: ApplicationStatus): AppReport {
  const { health, sync, conditions, operationState } = status;
  return {
    Namespace,
    Name,
    health: health ?? {},
    sync: sync ?? { status: "" },
    ...(conditions?.length ? { conditions } : {}),
    ...(operationState ? { operationState } : {}),
  };
}
