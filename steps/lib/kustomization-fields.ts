import type { RemoteNature } from "./remote-entry.ts";

/** What is never read as a path, by field; an empty list stands for all that is below the field. */
const inert: Readonly<Record<string, readonly string[]>> = {
  apiVersion: [],
  kind: [],
  metadata: [],
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  commonAnnotations: [],
  labels: [],
  images: [],
  imageTags: [],
  replicas: [],
  vars: [],
  generatorOptions: [],
  buildMetadata: [],
  sortOptions: [],
  patches: ["patch", "target", "options"],
  patchesJson6902: ["patch", "target", "options"],
  configMapGenerator: ["name", "namespace", "behavior", "literals", "options"],
  secretGenerator: ["name", "namespace", "behavior", "literals", "options", "type"],
  replacements: ["source", "targets"],
  helmCharts: ["repo", "valuesInline"],
  helmChartInflationGenerator: ["chartRepoUrl", "values"],
};

/** Fields whose entries are configurations of Kustomize's own plugins, which name files in turn. */
export const pluginFields: readonly string[] = ["generators", "transformers", "validators"];

/** Fields whose entries may be fetched, and what they may be then. */
export const remoteFields = new Map<string, RemoteNature>([
  ["resources", "either"],
  ["bases", "either"],
  ["components", "base"],
  ["configMapGenerator", "file"],
  ["configurations", "file"],
  ["crds", "file"],
  ["openapi", "file"],
  ["patches", "file"],
  ["patchesJson6902", "file"],
  ["patchesStrategicMerge", "file"],
  ["replacements", "file"],
  ["secretGenerator", "file"],
]);

/** Fields whose spelling matters here. */
export const knownFields: readonly string[] = [...Object.keys(inert), ...pluginFields, "helmGlobals"];

/** By the names of the fields on the way to a value. */
export function isInert([field = "", ...below]: readonly string[]): boolean {
  if (!Object.hasOwn(inert, field)) return false;
  return inert[field]?.length === 0 || below.some((name) => inert[field]?.includes(name));
}

/** What is not read as a path in the entries of a field. */
export function belowInert(field: string): readonly string[] {
  return Object.hasOwn(inert, field) ? (inert[field] ?? []) : [];
}

/** Whether a file may stand behind a key, `name=file`; so it counts in fields that nobody knows. */
export function isKeyed(field: string): boolean {
  return !remoteFields.has(field) || field.endsWith("Generator");
}

/** What a text may mean: itself and, where keys may stand before it, what is behind each `=`. */
export function readings(text: string, isKeyed: boolean): string[] {
  if (!isKeyed) return [text];
  const parts = text.split("=");
  return parts.map((_, at) => parts.slice(at).join("="));
}

/** All texts in a value, keys included, without what is below the fields left out of a list's entries. */
export function* textsIn(value: unknown, without: readonly string[] = []): Generator<string> {
  if (typeof value === "string") yield value;
  else if (Array.isArray(value)) for (const entry of value) yield* textsIn(entry, without);
  else if (isRecord(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (without.includes(key)) continue;
      yield key;
      yield* textsIn(inner);
    }
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
