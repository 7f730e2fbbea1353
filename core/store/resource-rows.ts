import { isDeepStrictEqual } from "node:util";
import type { Cipher } from "#core/credentials/cipher.ts";
import type { ObjectMeta, Resource } from "#core/resources/resource.ts";

/** A row of the table of resources. */
export interface ResourceRow {
  id: number;
  kind: string;
  /** "" for resources that belong to no project. */
  project: string;
  name: string;
  uid: string;
  generation: number;
  version: number;
  created_at: string;
  body: string;
  status: string | null;
}

/** A resource without its status and without what has columns of its own. */
interface Body {
  metadata: Partial<ObjectMeta>;
  [field: string]: unknown;
}

/** Where Kubernetes' client leaves a copy of all that it applied, a Secret's values among it. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

export function toResource(row: ResourceRow, cipher: Cipher): Resource {
  const { metadata, ...fields } = openBody(row, cipher);
  const resource = {
    ...fields,
    metadata: {
      name: row.name,
      ...(row.project === "" ? {} : { namespace: row.project }),
      ...metadata,
      uid: row.uid,
      generation: row.generation,
      resourceVersion: String(row.version),
      creationTimestamp: row.created_at,
    },
  } as unknown as Resource;
  if (row.status !== null) resource.status = JSON.parse(row.status);
  return resource;
}

/** The body of a resource as it is stored: JSON, a Secret's values sealed. */
export function toBody(resource: Resource, cipher: Cipher): string {
  return sealBody(plainBody(resource), resource, cipher);
}

/**
 * What an update changes: nothing at all, only metadata, or more than that, which makes it a new generation.
 */
export function compareWithRow(
  resource: Resource,
  row: ResourceRow,
  cipher: Cipher,
): "same" | "metadata" | "more" {
  const { metadata: oldMetadata, ...oldFields } = openBody(row, cipher);
  const { metadata, ...fields } = plainBody(resource);
  if (!isDeepStrictEqual(fields, oldFields)) return "more";
  return isDeepStrictEqual(metadata, oldMetadata) ? "same" : "metadata";
}

function plainBody(resource: Resource): Body {
  const { status: _, metadata, ...fields } = JSON.parse(JSON.stringify(resource)) as Resource;
  const { name: _n, namespace: _ns, uid: _u, generation: _g, resourceVersion: _v, ...kept } = metadata;
  delete kept.creationTimestamp;
  if (resource.kind === "Secret") delete kept.annotations?.[lastApplied];
  return { ...fields, metadata: kept };
}

function openBody(row: ResourceRow, cipher: Cipher): Body {
  const body = JSON.parse(row.body) as Body;
  return row.kind === "Secret" ? mapSecretValues(body, row.project, row.name, cipher.open) : body;
}

function sealBody(body: Body, { kind, metadata }: Resource, cipher: Cipher): string {
  const stored =
    kind === "Secret" ? mapSecretValues(body, metadata.namespace ?? "", metadata.name, cipher.seal) : body;
  return JSON.stringify(stored);
}

function mapSecretValues(
  body: Body,
  project: string,
  name: string,
  map: (value: string, context: string) => string,
): Body {
  const mapped = { ...body };
  for (const field of ["data", "stringData"]) {
    const values = body[field];
    if (typeof values !== "object" || values === null) continue;
    mapped[field] = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [
        key,
        map(String(value), `Secret ${project}/${name} ${field}.${key}`),
      ]),
    );
  }
  return mapped;
}
