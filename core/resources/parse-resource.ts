import { didYouMean } from "#core/nearest-name.ts";
import { isForeignKind } from "#core/resources/foreign-kinds.ts";
import { findKind, type KindDefinition, kinds } from "#core/resources/kinds.ts";
import { metadataFieldNames } from "#core/resources/metadata.ts";
import type { Path } from "#core/resources/path.ts";
import { prune } from "#core/resources/prune.ts";
import { removedFieldAdvice } from "#core/resources/removed-fields.ts";
import type { Resource } from "#core/resources/resource.ts";
import { describeIssues, type SchemaIssue } from "#core/resources/schema-issues.ts";

export interface ResourceIssue extends SchemaIssue {
  severity: "error" | "warning";
}

/** A value read as a resource. There is none when one of the issues is an error, or the kind is none of ours. */
export interface ParsedResource {
  resource: Resource | undefined;
  /** What is left of a resource with errors when the fields that they are about are taken out, if that is one. */
  remainder?: Resource;
  issues: ResourceIssue[];
}

/**
 * Reads any JSON value as the resource that its `kind` says, defaults filled in. What a status or the
 * metadata holds beyond what is known is left out and no error, since tools put all kinds of things there.
 *
 * A namespaced resource without a namespace gets `defaultProject`.
 */
export function parseResource(value: unknown, defaultProject?: string): ParsedResource {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return failed([], "expected a resource: an object with apiVersion, kind and metadata");
  }
  const { kind, apiVersion } = value as Record<string, unknown>;
  const definition = typeof kind === "string" ? kinds.get(kind) : undefined;
  if (!definition && isForeignKind(kind, apiVersion)) {
    return failed(["kind"], `the kind "${kind}" means nothing to Towpath; it is left out`, "warning");
  }
  if (!definition) return failed(["kind"], unknownKind(kind));
  if (apiVersion !== definition.apiVersion)
    return failed(["apiVersion"], wrongVersion(definition, apiVersion));
  const parsed = parseAs(definition, prune(definition.schema, value) as Record<string, unknown>);
  const read = parsed.resource ?? parsed.remainder;
  if (read) placeInProject(definition, read, defaultProject);
  return parsed;
}

/** Kinds that belong to no project lose a namespace, as they do in Kubernetes. */
function placeInProject(
  { namespaced }: KindDefinition,
  { metadata }: Resource,
  defaultProject?: string,
): void {
  if (!namespaced) delete metadata.namespace;
  else if (metadata.namespace === undefined && defaultProject !== undefined)
    metadata.namespace = defaultProject;
}

function parseAs(definition: KindDefinition, value: Record<string, unknown>): ParsedResource {
  const issues = unknownMetadata(value);
  let wanted = value;
  let parsed = definition.schema.safeParse(wanted);
  if (!parsed.success && parsed.error.issues.some(({ path }) => path[0] === "status")) {
    issues.push(...statusIssues(definition, wanted, parsed.error.issues));
    const { status: _, ...rest } = wanted;
    wanted = rest;
    parsed = definition.schema.safeParse(wanted);
  }
  if (parsed.success) return { resource: parsed.data as unknown as Resource, issues };

  const described = describeIssues(definition.schema, wanted, parsed.error.issues).map(
    (issue): ResourceIssue => {
      const advice = removedFieldAdvice(definition.kind, issue);
      return advice ? { ...issue, severity: "warning", message: advice } : { ...issue, severity: "error" };
    },
  );
  issues.push(...described);
  const kept = described.reduce((current, { path }) => without(current, path), wanted as unknown);
  const again = definition.schema.safeParse(kept);
  const remainder = again.success ? (again.data as unknown as Resource) : undefined;
  const isBroken = described.some(({ severity }) => severity === "error");
  return isBroken ? { resource: undefined, remainder, issues } : { resource: remainder, issues };
}

/** A status that cannot be read says nothing: the daemon writes its own. */
function statusIssues(
  { schema }: KindDefinition,
  value: Record<string, unknown>,
  issues: Parameters<typeof describeIssues>[2],
): ResourceIssue[] {
  const ofStatus = issues.filter(({ path }) => path[0] === "status");
  return describeIssues(schema, value, ofStatus.slice(0, 1)).map((issue) => ({
    ...issue,
    severity: "warning",
    message: `the status is left out: ${issue.message}`,
  }));
}

function unknownMetadata({ metadata }: Record<string, unknown>): ResourceIssue[] {
  if (typeof metadata !== "object" || metadata === null) return [];
  const unknown = Object.keys(metadata).filter((key) => !metadataFieldNames.includes(key));
  return unknown.map((key) => ({
    path: ["metadata", key],
    at: "key",
    severity: "warning",
    message: `unknown field "${key}" in metadata is left out${didYouMean(key, metadataFieldNames)}`,
  }));
}

function without(value: unknown, path: Path): unknown {
  const [key, ...rest] = path;
  if (typeof value !== "object" || value === null || key === undefined) return value;
  if (Array.isArray(value)) return value.map((item, index) => (index === key ? without(item, rest) : item));
  const { [key]: inner, ...others } = value as Record<string | number, unknown>;
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) };
}

function unknownKind(kind: unknown): string {
  if (kind === undefined) return 'required field "kind" is missing';
  if (typeof kind !== "string") return `expected the name of a kind, found ${JSON.stringify(kind)}`;
  const cased = findKind(kind)?.kind;
  const advice = cased === undefined ? didYouMean(kind, kinds.keys()) : `, did you mean "${cased}"?`;
  return `unknown kind "${kind}"${advice || `; known kinds: ${[...kinds.keys()].join(", ")}`}`;
}

function wrongVersion({ kind, apiVersion }: KindDefinition, found: unknown): string {
  if (found === undefined) return `required field "apiVersion" is missing; ${kind} has "${apiVersion}"`;
  return `${JSON.stringify(found)} is not the version of ${kind}; expected "${apiVersion}"`;
}

function failed(path: Path, message: string, severity: ResourceIssue["severity"] = "error"): ParsedResource {
  return { resource: undefined, issues: [{ path, at: "value", severity, message }] };
}
