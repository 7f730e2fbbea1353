import { z } from "zod";
import { type Application, titleFor } from "#core/argocd/application.ts";
import { type ArgoClient, createArgoClient } from "#core/argocd/client.ts";
import { StepFailure } from "#core/failure.ts";
import type { StepContext } from "#core/step.ts";
import { anyOf, oneOf } from "#steps/lib/one-of.ts";

const requirement = z.strictObject({
  key: z.string().min(1).describe("Key of the label."),
  operator: z
    .enum(["In", "NotIn", "Exists", "DoesNotExist"])
    .describe("How the label's value is compared with `values`."),
  values: z
    .array(z.string())
    .optional()
    .describe("Values for In and NotIn, which must have some; none for the others."),
});

const selector = z
  .strictObject({
    matchLabels: z
      .record(z.string(), z.string())
      .optional()
      .describe("Labels that must be there with these values."),
    matchExpressions: z
      .array(requirement)
      .optional()
      .describe("Further requirements; all of them must hold."),
  })
  .refine(
    ({ matchLabels, matchExpressions }) =>
      Object.keys(matchLabels ?? {}).length > 0 || (matchExpressions ?? []).length > 0,
    anyOf("must have matchLabels or matchExpressions"),
  );

/** How both steps are told of Applications. Check what is made of it with `hasOneSubject`. */
export const appFields = {
  name: z.string().min(1).optional().describe("Name of one Application. Give this or `selector`."),
  namespace: z
    .string()
    .min(1)
    .optional()
    .describe("Namespace of the Applications; that of the connection, which is `argocd` by default."),
  selector: selector.optional().describe("Labels of any number of Applications. Give this or `name`."),
};

type AppChoice = z.output<z.ZodObject<typeof appFields>>;

export const hasOneSubject = ({ name, selector }: AppChoice): boolean =>
  (name === undefined) !== (selector === undefined);
export const oneSubject = oneOf("must have either name or selector");

export const appsOutput = z
  .array(
    z.object({
      name: z.string().describe("Name of the Application."),
      namespace: z.string().describe("Its namespace."),
    }),
  )
  .describe("The Applications.");

/** Where the Applications of a stage are linked in its page. */
export function referenceTo({ metadata: { name, namespace } }: Application) {
  return { name, namespace };
}

/** A client for the Argo CD that the stage deploys with. */
export async function argoClientOf(ctx: StepContext): Promise<ArgoClient> {
  const connection = await ctx.argocd?.();
  if (connection !== undefined) return createArgoClient(connection, ctx.fetch);
  throw new StepFailure(
    "refused",
    `Cannot reach Argo CD: neither project "${ctx.project}" nor "kargo-shared-resources" has a Secret with the ` +
      "label towpath.dev/connection: argocd that tells its server and token",
  );
}

/** The Applications that are named or selected. Throws a StepFailure when there are none. */
export async function findApps(argo: ArgoClient, choice: AppChoice): Promise<Application[]> {
  const namespace = choice.namespace ?? argo.namespace;
  if (choice.selector !== undefined) {
    const found = await argo.list(choice.selector, namespace);
    if (found.length > 0) return found;
    throw new StepFailure(
      "errored",
      `Cannot find any Argo CD Application in namespace "${namespace}" that the selector matches`,
    );
  }
  const { name = "" } = choice;
  const app = await argo.get(name, namespace);
  if (app !== undefined) return [app];
  throw new StepFailure("errored", `Cannot find ${titleFor(name, namespace)}`);
}

/** Soon at first, since most are done soon, and the rarer the longer it takes. */
export function secondsToNextLook({ startedAt, now }: StepContext): number {
  const elapsed = (now().getTime() - Date.parse(startedAt)) / 1_000;
  return Math.min(30, Math.max(3, Math.round(elapsed / 10)));
}
