import { z } from "zod";
import { type Application, errorConditions, isStale, titleOf } from "#core/argocd/application.ts";
import type { ArgoClient } from "#core/argocd/client.ts";
import { StepFailure } from "#core/failure.ts";
import { defineStep, type StepContext, succeeded, waiting } from "#core/step.ts";
import {
  appFields,
  appsOutput,
  argoClientOf,
  findApps,
  hasOneSubject,
  oneSubject,
  referenceTo,
  secondsToNextLook,
} from "#steps/lib/argocd-apps.ts";

const waitable = z.enum(["health", "sync", "operation", "suspended", "degraded"]);
type Waitable = z.infer<typeof waitable>;

/** Any one of these is enough; all else must hold together. */
const wantedHealth: Partial<Record<Waitable, string>> = {
  health: "Healthy",
  suspended: "Suspended",
  degraded: "Degraded",
};

export default defineStep({
  name: "argocd-wait",
  summary: "Waits until Argo CD Applications are synced and healthy, or as else is wanted.",
  notes: `
It changes nothing, and so needs no authorization by the Application, other than argocd-update; nor has it a say
in the stage's health. How Argo CD is reached is told in [Argo CD](../argocd.md).

\`health\`, \`suspended\` and \`degraded\` are alternatives; \`sync\` and \`operation\` must hold besides. An
Application that is waited for to be healthy and that becomes \`Degraded\` meanwhile fails the step at once, and so
does one that Argo CD cannot compare or whose specification is wrong.

It was tried against a server of the tests' own that answers as Argo CD's published API does, and not against a
real Argo CD.`,
  config: z.strictObject({
    apps: z
      .array(
        z
          .strictObject({
            ...appFields,
            waitFor: z
              .array(waitable)
              .min(1)
              .refine((list) => new Set(list).size === list.length, "must not name anything twice")
              .default(["health", "sync", "operation"])
              .describe("What must be the case: no `operation` goes on, it is in `sync`, and its health."),
          })
          .refine(hasOneSubject, oneSubject),
      )
      .min(1)
      .describe("The Applications, and what is waited for."),
  }),
  output: z.object({
    apps: appsOutput,
    healthStatus: z
      .record(z.string(), z.string())
      .describe("Health of each Application, by `<namespace>/<name>`, as it was seen last."),
  }),
  examples: [
    {
      title: "Wait for an Application that Argo CD syncs by itself",
      yaml: `
uses: argocd-wait
config:
  apps:
  - name: shop-test`,
    },
    {
      title: "Wait for a rollout to pause",
      yaml: `
uses: argocd-wait
config:
  apps:
  - name: shop-prod
    waitFor: [suspended]`,
    },
  ],
  defaultTimeoutSeconds: 300,

  async run({ apps: specs }, ctx) {
    const argo = await argoClientOf(ctx);
    const before = healthBefore(ctx);
    const output = { apps: [] as ReturnType<typeof referenceTo>[], healthStatus: { ...before } };
    const waits: string[] = [];
    for (const spec of specs) {
      const found = await findApps(argo, spec).catch((error: unknown) => {
        // What was seen by now tells, after a server's bad minute, what has become worse meanwhile.
        if (!(error instanceof StepFailure)) throw error;
        throw new StepFailure(error.kind, error.message, { cause: error, output });
      });
      for (const app of found) {
        const key = `${app.metadata.namespace}/${app.metadata.name}`;
        const health = app.status.health?.status ?? "";
        output.apps.push(referenceTo(app));
        if (health !== "") output.healthStatus[key] = health;
        const failure = whyHopeless(app, spec.waitFor, before[key] ?? "");
        if (failure !== undefined) throw new StepFailure("refused", failure, { output });
        const wait = await whyNotReady(argo, app, spec.waitFor, ctx);
        if (wait !== undefined) waits.push(`${titleOf(app)} ${wait}`);
      }
    }
    return waits.length === 0 ? succeeded(output) : waiting(waits.join("; "), secondsToNextLook(ctx), output);
  },
});

/** What this step has put out at its last look. */
function healthBefore({ outputs, alias }: StepContext): Record<string, string> {
  const schema = z.object({ healthStatus: z.record(z.string(), z.string()) });
  return schema.safeParse(outputs[alias]).data?.healthStatus ?? {};
}

function whyHopeless(app: Application, waitFor: readonly Waitable[], before: string): string | undefined {
  const conditions = errorConditions(app);
  if (conditions.length > 0) {
    const said = conditions.map(({ type, message }) => `${type}: ${message}`).join("; ");
    return `${titleOf(app)} cannot be judged: ${said}`;
  }
  const isDegraded = app.status.health?.status === "Degraded";
  const hasRegressed = isDegraded && !["", "Degraded", "Unknown"].includes(before);
  if (!waitFor.includes("health") || !hasRegressed || isBusy(app, waitFor) || isStale(app)) return undefined;
  return `${titleOf(app)} was ${before} and has become Degraded`;
}

async function whyNotReady(
  argo: ArgoClient,
  app: Application,
  waitFor: readonly Waitable[],
  { log }: StepContext,
): Promise<string | undefined> {
  if (isBusy(app, waitFor)) return "has an operation under way";
  const wanted = waitFor.flatMap((one) => wantedHealth[one] ?? []);
  if (wanted.length > 0 && isStale(app)) {
    const problem = await argo.refresh(app);
    if (problem !== undefined) log.warn(problem);
    return "has not been looked at by Argo CD since its last operation";
  }
  const { health, sync } = app.status;
  if (wanted.length > 0 && !wanted.includes(health?.status ?? "")) {
    return `is ${health?.status || "of unknown health"}, waiting for ${wanted.join(" or ")}`;
  }
  if (waitFor.includes("sync") && sync?.status !== "Synced") return `is ${sync?.status || "not synced"}`;
  return undefined;
}

function isBusy({ operation, status }: Application, waitFor: readonly Waitable[]): boolean {
  if (!waitFor.includes("operation")) return false;
  return Boolean(operation) || Boolean(status.operationState && !status.operationState.finishedAt);
}
