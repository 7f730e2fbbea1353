import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { type FreightOrigin, originKey } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";

const anObject = z.record(z.string(), z.unknown());
type AnObject = z.infer<typeof anObject>;

/** What a command without a daemon is told of the world; everything may be left out. */
export const LocalContext = z.looseObject({
  project: z.string().default("default").describe("Project that the step runs in."),
  stage: z.string().default("local").describe("Stage that is promoted to."),
  promotion: z.string().default("local").describe("Name of the promotion."),
  alias: z.string().default("step-1").describe("Name of the step."),
  actor: z.string().default("").describe("Who asked for the promotion."),
  uiBaseUrl: z.string().default("").describe("Address of the web page."),
  rollback: z.boolean().default(false).describe("Whether the promotion goes back."),
  vars: z
    .union([anObject, z.array(z.looseObject({ name: z.string(), value: z.unknown() }))])
    .default({})
    .describe("Values by name, or a list of name and value as in a promotion template."),
  outputs: anObject.default({}).describe("Outputs of earlier steps, by alias."),
  freight: z
    .union([z.array(anObject), z.looseObject({ items: z.record(z.string(), anObject) })])
    .default([])
    .describe("Kargo's Freight objects, or a freight collection."),
  targetFreight: z
    .union([z.string(), anObject])
    .optional()
    .describe("The freight that is promoted; the first by default."),
  freightRequests: z
    .array(anObject)
    .optional()
    .describe("What the stage requests; the origins of the freight by default."),
  secrets: z
    .union([z.array(anObject), z.record(z.string(), anObject)])
    .default({})
    .describe("Secrets."),
  configMaps: z
    .union([z.array(anObject), z.record(z.string(), anObject)])
    .default({})
    .describe("ConfigMaps."),
  resources: z.array(anObject).default([]).describe("Any other resources of the project."),
});
export type LocalContext = z.infer<typeof LocalContext>;

/** Throws a UserError that names the field for what cannot be a context. */
export function parseContext(value: unknown): LocalContext {
  const parsed = LocalContext.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where = issue?.path.length ? ` at "${issue.path.join(".")}"` : "";
  throw new UserError(`Cannot use the context${where}: ${issue?.message}`);
}

/** A piece of freight, whether it was given as a Freight or as a reference to one. */
export interface LocalFreight {
  resource: Resource;
  alias: string;
}

/** The freight of a context, the one that is promoted first. */
export function contextFreight(context: LocalContext): LocalFreight[] {
  const { project, targetFreight } = context;
  const all = Array.isArray(context.freight)
    ? context.freight.map((one, index) => toFreight(one, project, originAt(index)))
    : Object.entries(context.freight.items).map(([key, one]) => toFreight(one, project, originOf(key)));
  if (typeof targetFreight === "object") return [toFreight(targetFreight, project, originAt(0)), ...all];
  return targetFreight === undefined
    ? all
    : all.toSorted((a, b) => rank(a, targetFreight) - rank(b, targetFreight));
}

function rank({ resource }: LocalFreight, target: string): number {
  return resource.metadata.name === target ? 0 : 1;
}

/** Freight in a list that tells no origin gets one of its own: of each origin a stage holds one piece. */
function originAt(index: number): FreightOrigin {
  return { kind: "Warehouse", name: index === 0 ? "" : String(index + 1) };
}

/** The origin that a key of a freight collection stands for: `Warehouse/name`. */
function originOf(key: string): FreightOrigin {
  return { kind: "Warehouse", name: key.slice(key.indexOf("/") + 1) };
}

function toFreight(given: AnObject, project: string, fallback: FreightOrigin): LocalFreight {
  const { name = "", metadata, origin: told, ...contents } = given;
  const origin = (told as Partial<FreightOrigin> | undefined)?.name ? told : fallback;
  const alias = typeof given.alias === "string" ? given.alias : "";
  const ownMetadata = { name: String(name), ...(metadata as object), namespace: project };
  return {
    alias,
    resource: {
      ...contents,
      origin,
      apiVersion: "kargo.akuity.io/v1alpha1",
      kind: "Freight",
      metadata: ownMetadata,
    } as unknown as Resource,
  };
}

/** What the stage requests, or would have to, to get the freight. */
export function contextRequests(context: LocalContext, freight: readonly LocalFreight[]): AnObject[] {
  if (context.freightRequests !== undefined) return context.freightRequests;
  const origins = freight.map(
    ({ resource }) => (resource as unknown as { origin: Parameters<typeof originKey>[0] }).origin,
  );
  const unique = new Map(origins.map((origin) => [originKey(origin), origin]));
  return [...unique.values()].map((origin) => ({ origin, sources: { direct: true } }));
}

/** Secrets, ConfigMaps and other resources of a context, ready for a store. */
export function contextResources(context: LocalContext): Resource[] {
  return [
    ...named(context.secrets).map(([name, value]) => toSecret(name, value, context.project)),
    ...named(context.configMaps).map(([name, value]) => toConfigMap(name, value, context.project)),
    ...context.resources.map((resource) => withProject(resource as unknown as Resource, context.project)),
  ];
}

function named(given: AnObject[] | Record<string, AnObject>): [string, AnObject][] {
  if (!Array.isArray(given)) return Object.entries(given);
  return given.map((one) => [String(one.name ?? (one.metadata as AnObject | undefined)?.name ?? ""), one]);
}

/** Values are plain text, except under `data` of what is a Kubernetes Secret by its metadata. */
function toSecret(name: string, given: AnObject, project: string): Resource {
  const isResource = given.metadata !== undefined || given.kind === "Secret";
  const encoded = isResource ? ((given.data ?? {}) as AnObject) : {};
  const plain = isResource ? given.stringData : (given.data ?? given.stringData ?? given);
  const { name: _, ...values } = (plain ?? {}) as AnObject;
  const data = { ...encoded };
  for (const [key, value] of Object.entries(values)) data[key] = toBase64(value);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadataOf(name, given, project),
    data,
  } as unknown as Resource;
}

function toBase64(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64");
}

function toConfigMap(name: string, given: AnObject, project: string): Resource {
  const { name: _, ...values } = given;
  const isResource = given.metadata !== undefined || given.kind === "ConfigMap";
  const data = isResource ? (given.data ?? {}) : (given.data ?? values);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: metadataOf(name, given, project),
    data,
  } as unknown as Resource;
}

function metadataOf(name: string, { metadata }: AnObject, project: string): object {
  return { namespace: project, ...(metadata as object | undefined), name };
}

function withProject(resource: Resource, project: string): Resource {
  return { ...resource, metadata: { namespace: project, ...resource.metadata } };
}
