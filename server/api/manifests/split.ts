import { parseAllDocuments } from "yaml";
import { UserError } from "#core/failure.ts";
import type { Resource } from "#core/resources/resource.ts";

/** A manifest as it came: nothing is known of it but that it is an object. */
export type Manifest = Record<string, unknown> & Partial<Pick<Resource, "apiVersion" | "kind">>;

/**
 * Splits a body of YAML documents, JSON objects or one JSON array into manifests: Projects apart, since
 * they have to be created before and deleted after everything else.
 */
export function splitManifests(body: string): { projects: Manifest[]; others: Manifest[] } {
  const manifests = parse(body).map(requireObject);
  const isProject = ({ kind }: Manifest) => kind === "Project";
  if (manifests.length === 0) throw new UserError("no resources found in request body");
  return {
    projects: manifests.filter(isProject),
    others: manifests.filter((manifest) => !isProject(manifest)),
  };
}

function parse(body: string): unknown[] {
  const documents = parseAllDocuments(body, { logLevel: "silent" });
  const values = documents.map((document) => {
    const error = document.errors[0];
    if (error) throw new UserError(`error decoding manifest: ${error.message}`);
    return toValue(() => document.toJS({ maxAliasCount: 100 }));
  });
  const [first] = values;
  const list = values.length === 1 && Array.isArray(first) ? first : values;
  return list.filter((value) => value !== null && value !== undefined);
}

/** Aliases that multiply themselves are found only when they are followed. */
function toValue(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    throw new UserError(`error decoding manifest: ${(error as Error).message}`);
  }
}

function requireObject(value: unknown): Manifest {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Manifest;
  throw new UserError(
    "error decoding manifest: a resource must be an object with apiVersion, kind and metadata",
  );
}
