import { z } from "zod";
import { type Application, type ApplicationSource, sourcesOf, titleOf } from "#core/argocd/application.ts";
import type { NewSources } from "#core/argocd/client.ts";
import { StepFailure } from "#core/failure.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { oneOf } from "#steps/lib/one-of.ts";

const kustomizeImage = z
  .strictObject({
    repoURL: z.string().min(1).describe("Repository of the image, as the manifests name it."),
    tag: z.string().optional().describe("New tag. Give this or `digest`."),
    digest: z.string().optional().describe("New digest. Give this or `tag`."),
    newName: z.string().min(1).optional().describe("Repository to take the image from instead."),
  })
  .refine(({ tag, digest }) => !tag || !digest, oneOf("tag and digest exclude one another"));

const helmParameter = z.strictObject({
  key: z.string().min(1).describe("Name of the Helm parameter, as `image.tag`."),
  value: z.string().describe("New value."),
});

/** What is to become of one source of an Application. */
export const sourceUpdate = z
  .strictObject({
    repoURL: z.string().min(1).describe("`repoURL` of the source, as it stands there."),
    chart: z.string().min(1).optional().describe("`chart` of the source, where it has one."),
    desiredRevision: z
      .string()
      .min(1)
      .optional()
      .describe("Revision that the source must have been synced to, now and whenever health is judged."),
    updateTargetRevision: z
      .boolean()
      .default(false)
      .describe("Set the source's `targetRevision` to `desiredRevision`, which must be given then."),
    kustomize: z
      .strictObject({
        images: z
          .array(kustomizeImage)
          .min(1)
          .optional()
          .describe("Images; they replace those of the source."),
      })
      .optional()
      .describe("Changes to the source's Kustomize settings."),
    helm: z
      .strictObject({
        images: z.array(helmParameter).min(1).describe("Parameters to set; others stay as they are."),
      })
      .optional()
      .describe("Changes to the source's Helm parameters."),
  })
  .refine(
    ({ desiredRevision, updateTargetRevision }) => !updateTargetRevision || desiredRevision !== undefined,
    oneOf("updateTargetRevision needs a desiredRevision"),
  );

export type SourceUpdate = z.output<typeof sourceUpdate>;

/** For each source of the Application the revision that it must have; "" where none is asked for. */
export function desiredRevisions(app: Application, updates: readonly SourceUpdate[] = []): string[] {
  return sourcesOf(app).map(
    (source) => updates.find((update) => isFor(update, source))?.desiredRevision ?? "",
  );
}

/**
 * The Application's sources with the updates, each applied to the first source that it is for. Undefined when
 * that changes nothing. Throws a StepFailure when an update is for none of them.
 */
export function updatedSources(
  app: Application,
  updates: readonly SourceUpdate[] = [],
): NewSources | undefined {
  const before = sourcesOf(app);
  const revisions = desiredRevisions(app, updates);
  const after = structuredClone(before);
  for (const update of updates) {
    const index = after.findIndex((source) => isFor(update, source));
    const source = after[index];
    if (source === undefined) throw noSource(app, update);
    applyUpdate(source, update, revisions[index] ?? "");
  }
  if (JSON.stringify(after) === JSON.stringify(before)) return undefined;
  const [only] = after;
  return app.spec.sources?.length || only === undefined ? { sources: after } : { source: only };
}

/** A chart's address must be the same to the letter, a Git repository's the same repository. */
function isFor(update: SourceUpdate, source: ApplicationSource): boolean {
  if (update.chart || source.chart) {
    return update.repoURL === source.repoURL && (update.chart ?? "") === (source.chart ?? "");
  }
  return normalizeGitUrl(update.repoURL) === normalizeGitUrl(source.repoURL);
}

function noSource(app: Application, { repoURL, chart }: SourceUpdate): StepFailure {
  const there = sourcesOf(app).map(addressOf);
  const has = there.length === 0 ? "it has no source" : `it has ${there.join(", ")}`;
  const what = addressOf({ repoURL, chart });
  return new StepFailure("errored", `Cannot update ${titleOf(app)}: no source of it is ${what} (${has})`);
}

function addressOf({ repoURL, chart }: { repoURL: string; chart?: string | null | undefined }): string {
  return chart ? `chart "${chart}" of "${repoURL}"` : `"${repoURL}"`;
}

function applyUpdate(source: ApplicationSource, update: SourceUpdate, revision: string): void {
  if (update.updateTargetRevision && revision !== "") source.targetRevision = revision;
  const images = update.kustomize?.images;
  if (images !== undefined) source.kustomize = { ...record(source.kustomize), images: images.map(imageText) };
  if (update.helm !== undefined) {
    const helm = record(source.helm);
    source.helm = { ...helm, parameters: withParameters(helm.parameters, update.helm.images) };
  }
}

/** `IMAGE[=NAME]:TAG`, or `@DIGEST`. */
function imageText({ repoURL, newName, tag, digest }: z.output<typeof kustomizeImage>): string {
  const name = newName === undefined ? repoURL : `${repoURL}=${newName}`;
  return digest ? `${name}@${digest}` : `${name}:${tag ?? ""}`;
}

/** The last of several values for a key counts. What else a parameter says goes with its old value. */
function withParameters(given: unknown, updates: readonly z.output<typeof helmParameter>[]): unknown[] {
  const parameters = Array.isArray(given) ? [...given] : [];
  for (const { key, value } of updates) {
    const index = parameters.findIndex((one) => record(one).name === key);
    parameters.splice(index === -1 ? parameters.length : index, 1, { name: key, value });
  }
  return parameters;
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}
