import { createHash } from "node:crypto";
import { parse, parseDocument, stringify } from "yaml";
import { StepFailure } from "#core/failure.ts";

/** A dependency as `Chart.yaml` and `Chart.lock` have it, in the order in which helm writes its fields. */
export interface ChartDependency {
  name: string;
  version: string;
  repository: string;
  condition: string;
  tags: unknown[];
  enabled: boolean;
  "import-values": unknown[];
  alias: string;
}

export interface ChartLock {
  dependencies: ChartDependency[];
  digest: string;
}

/** The dependencies of a `Chart.yaml` or a `Chart.lock`. */
export function readDependencies(text: string, shown: string): ChartDependency[] {
  return dependenciesOf(readYaml(text, shown), shown);
}

export function readLock(text: string, shown: string): ChartLock {
  const lock = readYaml(text, shown);
  return { dependencies: dependenciesOf(lock, shown), digest: String(lock.digest ?? "") };
}

function readYaml(text: string, shown: string): Record<string, unknown> {
  const document = parseDocument(text.replace(/^\ufeff/, ""), { version: "1.1", logLevel: "silent" });
  const [error] = document.errors;
  const cannot = `Cannot read "${shown}"`;
  if (error) {
    throw new StepFailure("errored", `${cannot}: it is not valid YAML: ${error.message}`, { cause: error });
  }
  const read: unknown = document.toJS();
  if (read === null) return {};
  if (typeof read === "object" && !Array.isArray(read)) return read as Record<string, unknown>;
  throw new StepFailure("errored", `${cannot}: it is not a mapping`);
}

function dependenciesOf({ dependencies }: Record<string, unknown>, shown: string): ChartDependency[] {
  if (dependencies === undefined || dependencies === null) return [];
  const wrong = (why: string) =>
    new StepFailure("errored", `Cannot read "${shown}": ${why} in "dependencies"`);
  if (!Array.isArray(dependencies)) throw wrong("a list is missing");
  return dependencies.map((entry: Record<string, unknown> | null) => {
    if (typeof entry !== "object" || entry === null) throw wrong("something is no dependency");
    const text = (field: string) => {
      const value = entry[field] ?? "";
      if (typeof value !== "string") throw wrong(`"${field}" is not text`);
      return value;
    };
    const list = (field: string) => (Array.isArray(entry[field]) ? (entry[field] as unknown[]) : []);
    return {
      name: text("name"),
      version: text("version"),
      repository: text("repository"),
      condition: text("condition"),
      tags: list("tags"),
      enabled: entry.enabled === true,
      "import-values": list("import-values"),
      alias: text("alias"),
    };
  });
}

/** Helm's digest of what is wanted and what was chosen: tells whether a lock still fits its chart. */
export function lockDigest(wanted: readonly ChartDependency[], locked: readonly ChartDependency[]): string {
  const json = JSON.stringify([wanted.map(hashed), locked.map(hashed)]);
  return `sha256:${createHash("sha256").update(asGoWrites(json)).digest("hex")}`;
}

function hashed({ name, repository, version, ...rest }: ChartDependency): Record<string, unknown> {
  const entries = Object.entries({ name, version, repository, ...rest });
  const isEmpty = (value: unknown) =>
    value === "" || value === false || (Array.isArray(value) && value.length === 0);
  return Object.fromEntries(
    entries
      .filter(([field, value]) => field === "name" || field === "repository" || !isEmpty(value))
      .map(([field, value]) => [field, sorted(value)]),
  );
}

/** Go sorts the keys of maps. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]));
}

/** Go escapes what a browser could take for markup. */
function asGoWrites(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A lock as helm writes it. */
export function writeLock({ dependencies, digest }: ChartLock, generated: Date): string {
  const entries = dependencies.map(({ name, repository, version }) => ({ name, repository, version }));
  return stringify(
    { dependencies: entries, digest, generated: generated.toISOString() },
    { version: "1.1", indentSeq: false, lineWidth: 0 },
  );
}

/** Fields of a chart that helm wants to see of it, whatever else is done. */
export function chartHead(text: string): Record<string, unknown> {
  const { apiVersion, name, version, type } = (parse(text, { logLevel: "silent" }) ?? {}) as Record<
    string,
    unknown
  >;
  return { apiVersion, name, version, ...(type === undefined ? {} : { type }) };
}
