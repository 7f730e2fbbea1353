import { z } from "zod";
import { type Application, titleOf } from "#core/argocd/application.ts";
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
import { whyForbidden } from "#steps/lib/argocd-authorization.ts";
import { judgeOperation, promotionInfo } from "#steps/lib/argocd-operation.ts";
import { desiredRevisions, sourceUpdate, updatedSources } from "#steps/lib/argocd-sources.ts";

const appUpdate = z
  .strictObject({
    ...appFields,
    sources: z
      .array(sourceUpdate)
      .min(1)
      .optional()
      .describe("What is to become of the Applications' sources; without it they are synced as they are."),
  })
  .refine(hasOneSubject, oneSubject);

type AppUpdate = z.output<typeof appUpdate>;

export default defineStep({
  name: "argocd-update",
  summary: "Updates Argo CD Applications, syncs them and waits for that.",
  notes: `
The Application must allow the stage to change it, by the annotation
\`kargo.akuity.io/authorized-stage: <project>:<stage>\`; several are separated by commas. Of Applications that a
selector finds, those that do not are left out. How Argo CD is reached, and with which rights, is told in
[Argo CD](../argocd.md).

An operation that somebody else has begun is waited for, and so is a sync window that keeps the Application from
being synced. When several Applications are to get new sources, none is changed unless all can be.

From then on the stage's health is that of the Applications: Argo CD's own verdict, and whether they are synced
to \`desiredRevision\`.

It was tried against a server of the tests' own that answers as Argo CD's published API does, and not against a
real Argo CD.`,
  config: z.strictObject({
    apps: z.array(appUpdate).min(1).describe("The Applications, and what is to become of them."),
  }),
  output: z.object({ apps: appsOutput }),
  examples: [
    {
      title: "Sync an Application to what was pushed",
      yaml: `
uses: argocd-update
config:
  apps:
  - name: shop-test
    sources:
    - repoURL: https://github.com/example/shop.git
      desiredRevision: \${{ outputs.commit.commit }}`,
    },
    {
      title: "Point several Applications at another version of a chart, and set a parameter",
      yaml: `
uses: argocd-update
config:
  apps:
  - selector:
      matchLabels:
        team: shop
    sources:
    - repoURL: https://charts.example.com
      chart: shop
      desiredRevision: \${{ chartFrom("https://charts.example.com", "shop").Version }}
      updateTargetRevision: true
      helm:
        images:
        - key: image.tag
          value: \${{ imageFrom("ghcr.io/example/shop").Tag }}`,
    },
  ],
  defaultTimeoutSeconds: 300,

  async run({ apps: updates }, ctx) {
    const argo = await argoClientOf(ctx);
    const reached: { app: Application; desired: string[] }[] = [];
    const waits: string[] = [];
    for (const update of updates) {
      const apps = await authorizedApps(argo, update, ctx);
      refuseUnlessAllFit(apps, update);
      for (const app of apps) {
        reached.push({ app, desired: desiredRevisions(app, update.sources) });
        const wait = await bring(argo, app, update, ctx);
        if (wait !== undefined) waits.push(wait);
      }
    }
    const output = { apps: reached.map(({ app }) => referenceTo(app)) };
    if (waits.length > 0) return waiting(waits.join("; "), secondsToNextLook(ctx), output);
    const checks = reached.map(({ app, desired }) => ({
      ...referenceTo(app),
      ...(desired.length > 0 ? { desiredRevisions: desired } : {}),
    }));
    return succeeded(output, { healthCheck: { uses: "argocd-update", config: { apps: checks } } });
  },
});

async function authorizedApps(argo: ArgoClient, update: AppUpdate, ctx: StepContext): Promise<Application[]> {
  const { project, stage, log } = ctx;
  const found = await findApps(argo, update);
  const verdicts = found.map((app) => ({ app, why: whyForbidden(app, project, stage) }));
  const allowed = verdicts.filter(({ why }) => why === undefined).map(({ app }) => app);
  const reasons = verdicts.flatMap(({ why }) => why ?? []);
  if (allowed.length === 0) {
    const more = reasons.length > 1 ? ` (and ${reasons.length - 1} more Applications like it)` : "";
    throw new StepFailure(
      "errored",
      `Cannot update Argo CD Applications: stage "${stage}" of project "${project}" is not authorized: ${reasons[0]}${more}`,
    );
  }
  for (const reason of reasons) log.warn(`Left out: ${reason}`);
  return allowed;
}

const quotedProblems = 3;

/** Before any of several is changed, so that all are or none. */
function refuseUnlessAllFit(apps: readonly Application[], { sources }: AppUpdate): void {
  if (sources === undefined || apps.length < 2) return;
  const problems = apps.flatMap((app) => {
    try {
      updatedSources(app, sources);
      return [];
    } catch (error) {
      return (error as Error).message;
    }
  });
  if (problems.length === 0) return;
  const shown = problems.slice(0, quotedProblems).join("; ");
  const more = problems.length > quotedProblems ? `; and ${problems.length - quotedProblems} more` : "";
  throw new StepFailure(
    "errored",
    `Cannot update the selected Argo CD Applications, and changed none: ${problems.length} have other sources: ${shown}${more}`,
  );
}

/** Returns what is waited for; undefined once the Application is as it should be. */
async function bring(
  argo: ArgoClient,
  app: Application,
  { sources }: AppUpdate,
  ctx: StepContext,
): Promise<string | undefined> {
  const verdict = judgeOperation(app, ctx.promotion, desiredRevisions(app, sources));
  switch (verdict.is) {
    case "done":
      return undefined;
    case "under way":
      return verdict.what;
    case "failed":
      throw new StepFailure("errored", verdict.message);
    case "to be begun":
      ctx.log.info(`Syncing ${titleOf(app)}: ${verdict.why}`);
      return await begin(argo, app, updatedSources(app, sources), ctx);
    default:
      return verdict satisfies never;
  }
}

async function begin(
  argo: ArgoClient,
  app: Application,
  sources: ReturnType<typeof updatedSources>,
  ctx: StepContext,
): Promise<string> {
  if (sources !== undefined) await argo.setSources(app, sources);
  else {
    const problem = await argo.refresh(app);
    if (problem !== undefined) ctx.log.warn(problem);
  }
  const by = ctx.actor === "" ? [] : [{ name: "Promoted by", value: ctx.actor }];
  const hindered = await argo.sync(app, [
    { name: "Reason", value: `Promotion to stage "${ctx.stage}" of project "${ctx.project}"` },
    { name: promotionInfo, value: ctx.promotion },
    ...by,
  ]);
  return hindered === undefined ? `${titleOf(app)} is being synced` : hindered.hindrance;
}
