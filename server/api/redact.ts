import { secretValues } from "#core/credentials/secret-values.ts";
import type { Resource } from "#core/resources/resource.ts";
import { keys } from "#server/api/keys.ts";

export const redacted = "*** REDACTED ***";

/** Keys of repository credentials that are not secret when they are used as they should be. */
const openKeys: ReadonlySet<string> = new Set(["repoURL", "repoURLIsRegex", "username"]);

/**
 * A Secret as it may be shown: values replaced, unless the Secret is a repository credential and the key says
 * where it is for; annotations replaced too, since tools leave whole manifests in them.
 */
export function redactSecret(secret: Resource, shown: ReadonlySet<string> = shownKeys(secret)): Resource {
  const { data: _, stringData: __, ...rest } = secret as Resource & { data?: unknown; stringData?: unknown };
  const values = Object.entries(secretValues(secret));
  return {
    ...rest,
    metadata: redactAnnotations(secret.metadata),
    stringData: Object.fromEntries(values.map(([key, value]) => [key, shown.has(key) ? value : redacted])),
  } as Resource;
}

/** Any resource as it may be shown. */
export function redact(resource: Resource): Resource {
  return resource.kind === "Secret" ? redactSecret(resource) : resource;
}

const openAnnotations: ReadonlySet<string> = new Set([keys.description, keys.replicateTo]);

function redactAnnotations(metadata: Resource["metadata"]): Resource["metadata"] {
  if (!metadata.annotations) return metadata;
  const shown = Object.entries(metadata.annotations).map(([key, value]) => [
    key,
    openAnnotations.has(key) ? value : redacted,
  ]);
  return { ...metadata, annotations: Object.fromEntries(shown) };
}

function shownKeys(secret: Resource): ReadonlySet<string> {
  const type = secret.metadata.labels?.[keys.credentialType];
  return type === "git" || type === "helm" || type === "image" ? openKeys : new Set();
}
