import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { type ArtifactReference, parseReference, repositoryUrl } from "#core/oci/reference.ts";
import type { RegistryClient, RegistrySession, RepositoryAccess } from "#core/oci/registry-client.ts";
import type { StepContext } from "#core/step.ts";

const host = "^(oci://)?[a-zA-Z0-9._-]+(:\\d+)?(/[a-zA-Z0-9._-]+)*";

/** `registry/repository:tag` or `registry/repository@sha256:…`, with `oci://` for a Helm chart. */
export const referenceField = z
  .string()
  .regex(
    new RegExp(`${host}[@:][a-zA-Z0-9._:-]+$`),
    "must be registry/repository:tag or registry/repository@sha256:digest",
  );

/** The same with a tag and nothing else. */
export const taggedReferenceField = z
  .string()
  .regex(new RegExp(`${host}:[a-zA-Z0-9._-]+$`), "must be registry/repository:tag");

export const skipTlsField = z
  .boolean()
  .default(false)
  .describe(
    "Do not check the registry's certificate. Anybody on the way can then read and change what passes.",
  );

/** A reference that was understood, and whether it was written as one to a chart. */
export interface OciTarget {
  reference: ArtifactReference;
  isChart: boolean;
}

/** Throws the given kind of StepFailure for a reference that means nothing. */
export function readReference(what: string, text: string, kind: "failed" | "refused"): OciTarget {
  const reference = parseReference(text);
  if (reference !== undefined) return { reference, isChart: text.startsWith("oci://") };
  throw new StepFailure(
    kind,
    `Cannot use ${what} "${text}": it is no registry/repository:tag or registry/repository@sha256:digest`,
  );
}

/** Opens the reference's repository with the project's credentials: a chart's where it says `oci://`. */
export async function openOciSession(
  client: RegistryClient,
  { reference, isChart }: OciTarget,
  ctx: StepContext,
  access: RepositoryAccess,
): Promise<RegistrySession> {
  const url = repositoryUrl(reference);
  const credentials = await ctx.credentials.find(isChart ? "helm" : "image", isChart ? `oci://${url}` : url);
  return client.session(url, { ...access, credentials, signal: ctx.signal });
}
