import { UserError } from "#core/failure.ts";
import type { FieldError } from "#core/resources/field-error.ts";
import { kinds } from "#core/resources/kinds.ts";
import { parseResource } from "#core/resources/parse-resource.ts";
import { formatPath } from "#core/resources/path.ts";
import { formatRef, type Resource, refOf } from "#core/resources/resource.ts";
import { kindOf, type Manifest } from "#server/api/manifests/split.ts";

/** Metadata that the daemon gives; what a manifest says of it is not heard. */
const ownMetadata = [
  "uid",
  "generation",
  "resourceVersion",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "managedFields",
  "selfLink",
] as const;

/** The resource that a manifest declares, read by its kind's schema. Its status, if it has one, is dropped. */
export function readManifest(manifest: Manifest): Resource {
  const { resource, issues } = parseResource(manifest);
  if (!resource) {
    // Where nothing is an error, the kind is one that means nothing here.
    const errors = issues.filter(({ severity }) => severity === "error");
    throw invalid(describe(manifest), errors.length > 0 ? errors : issues);
  }
  delete resource.status;
  for (const field of ownMetadata) Reflect.deleteProperty(resource.metadata, field);
  if (resource.kind === "ProjectConfig") resource.metadata.namespace ??= resource.metadata.name;
  if (kinds.get(resource.kind)?.namespaced && resource.metadata.namespace === undefined) {
    throw invalid(describe(manifest), [
      {
        path: ["metadata", "namespace"],
        message: "required field is missing: the project that it belongs to",
      },
    ]);
  }
  return resource;
}

/** Fails with 422 when there are errors, and tells all of them. */
export function refuseErrors(resource: Resource, errors: readonly FieldError[]): void {
  if (errors.length > 0) throw invalid(formatRef(refOf(resource)), errors);
}

function invalid(what: string, errors: readonly FieldError[]): UserError {
  const told = errors.map(({ path, message }) =>
    path.length > 0 ? `${formatPath(path)}: ${message}` : message,
  );
  return new UserError(`${what} is invalid: ${told.join("; ")}`, { status: 422 });
}

function describe(manifest: Manifest): string {
  const { metadata } = Object(manifest) as { metadata?: unknown };
  const { name, namespace } = Object(metadata) as { name?: unknown; namespace?: unknown };
  if (typeof name !== "string") return `a ${kindOf(manifest)}`;
  return formatRef({
    kind: kindOf(manifest),
    name,
    ...(typeof namespace === "string" ? { project: namespace } : {}),
  });
}
