import type { z } from "zod";
import { UserError } from "#core/failure.ts";
import { findKind, type KindDefinition, kinds } from "#core/resources/kinds.ts";
import { formatRef, type Resource } from "#core/resources/resource.ts";
import type { Manifest } from "#server/api/manifests/split.ts";

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

/** The resource that a manifest declares, checked against its kind. Its status, if it has one, is dropped. */
export function checkManifest(manifest: Manifest): Resource {
  const definition = kindOf(manifest);
  const { status: _, ...declared } = manifest;
  const parsed = definition.schema.safeParse(declared);
  if (!parsed.success) throw new UserError(describeProblems(manifest, parsed.error), { status: 422 });
  const resource = parsed.data as unknown as Resource;
  for (const field of ownMetadata) Reflect.deleteProperty(resource.metadata, field);
  if (!definition.namespaced) Reflect.deleteProperty(resource.metadata, "namespace");
  else if (resource.metadata.namespace === undefined) {
    throw new UserError(
      `Cannot take ${formatRef(named(resource))}: its metadata.namespace, the project, is missing`,
    );
  }
  return resource;
}

function kindOf({ kind, apiVersion }: Manifest): KindDefinition {
  if (typeof kind !== "string" || kind === "") {
    throw new UserError("Cannot take a resource without a kind");
  }
  const definition = kinds.get(kind);
  if (!definition) {
    const meant = findKind(kind)?.kind;
    throw new UserError(`Cannot take a resource of unknown kind "${kind}"`, {
      hint: meant ? `Did you mean "${meant}"?` : `Known kinds: ${[...kinds.keys()].join(", ")}`,
    });
  }
  if (apiVersion !== definition.apiVersion) {
    throw new UserError(
      `Cannot take a ${kind} of apiVersion ${JSON.stringify(apiVersion)}: expected "${definition.apiVersion}"`,
    );
  }
  return definition;
}

function named({ kind, metadata }: Resource) {
  return { kind, name: metadata.name };
}

function describeProblems(manifest: Manifest, error: z.ZodError): string {
  const { name, namespace } = (manifest.metadata ?? {}) as { name?: unknown; namespace?: unknown };
  const ref = {
    kind: String(manifest.kind),
    name: String(name ?? ""),
    ...(typeof namespace === "string" ? { project: namespace } : {}),
  };
  const problems = error.issues.map(({ path, message }) => `${path.join(".") || "the resource"}: ${message}`);
  return `${formatRef(ref)} is invalid: ${problems.join("; ")}`;
}
