import { z } from "zod";
import { type ApplicationStatus, isStale, titleFor } from "#core/argocd/application.ts";
import { type ArgoClient, createArgoClient } from "#core/argocd/client.ts";
import type { ArgoConnection } from "#core/argocd/connection.ts";
import { judgeApplication, type Verdict } from "#core/argocd/judge-application.ts";
import { StepFailure } from "#core/failure.ts";
import { worstHealth } from "#core/stages/health-states.ts";
import type { HealthChecker } from "#core/stages/pass.ts";
import type { Fetch } from "#core/step.ts";

/** What argocd-update has the stage's health judged by. */
const AppCheck = z.object({
  name: z.string(),
  namespace: z.string().optional(),
  desiredRevisions: z.array(z.string()).default([]),
});
type AppCheck = z.infer<typeof AppCheck>;
const Input = z.object({ apps: z.array(AppCheck) });

/** One Application, as Kargo's page and command line expect it in the stage's status. */
interface AppReport extends Record<string, unknown> {
  Namespace: string;
  Name: string;
}

/** A stage waits for its health with all else that it does, so a server that hangs must not hold it up. */
const timeoutSeconds = 10;
/** How long a server that did not answer is left alone, for all stages: else each of them would wait in turn. */
const restMilliseconds = 15_000;

/** Judges a stage by the Applications that argocd-update has brought to it, the worst of them counts. */
export function createArgoHealthChecker(parts: {
  argocdFor(project: string, stage: string): Promise<ArgoConnection | undefined>;
  fetchWith(signal: AbortSignal): Fetch;
}): HealthChecker {
  /** By server, why and until when. */
  const resting = new Map<string, { why: string; until: number }>();

  async function look(
    connection: ArgoConnection,
    { name, namespace = connection.namespace, desiredRevisions }: AppCheck,
    signal: AbortSignal,
  ): Promise<Look> {
    const rest = resting.get(connection.server);
    if (rest !== undefined && rest.until > Date.now()) return notSeen(name, namespace, rest.why);
    const fetch = parts.fetchWith(signal);
    const argo = createArgoClient(connection, (url, options) => fetch(url, { timeoutSeconds, ...options }));
    try {
      return await lookAt(argo, name, namespace, desiredRevisions);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (error instanceof StepFailure && error.transient) {
        resting.set(connection.server, { why, until: Date.now() + restMilliseconds });
      }
      return notSeen(name, namespace, why);
    }
  }

  return async ({ project, stage, config }, signal) => {
    const input = Input.safeParse(config);
    if (!input.success) return unknown("the health check does not tell its Applications");
    const connection = await parts.argocdFor(project, stage);
    if (connection === undefined) return unknown("no Argo CD is set up for the project any more");
    const looks = await Promise.all(input.data.apps.map((app) => look(connection, app, signal)));
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

interface Look {
  verdict: Verdict;
  report: AppReport;
}

async function lookAt(
  argo: ArgoClient,
  name: string,
  namespace: string,
  desired: readonly string[],
): Promise<Look> {
  const app = await argo.get(name, namespace);
  if (app === undefined) return notSeen(name, namespace, `Cannot find ${titleFor(name, namespace)}`);
  // Without being asked, Argo CD may not look at an Application again for minutes.
  if (isStale(app)) await argo.refresh(app);
  return { verdict: judgeApplication(app, desired), report: reportOn(name, namespace, app.status) };
}

function notSeen(name: string, namespace: string, issue: string): Look {
  const status = { health: { status: "Unknown" }, sync: { status: "Unknown" } };
  return {
    verdict: { state: "Unknown", issues: [issue] },
    report: reportOn(name, namespace, status),
  };
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
