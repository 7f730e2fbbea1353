import { parse } from "yaml";

/** The versions of each chart of a repository. */
export type ChartVersions = ReadonlyMap<string, readonly string[]>;

/**
 * Reads the `index.yaml` of a chart repository. Indexes run to tens of megabytes, and all that counts are
 * the lines with names and versions: a machine-made index is read line by line, any other as YAML. Throws
 * what is wrong with a text that is no index.
 */
export function readChartIndex(text: string): ChartVersions {
  return readLines(text) ?? readYaml(text);
}

/** Undefined as soon as the text is not laid out as helm and its like write it. */
function readLines(text: string): ChartVersions | undefined {
  const charts = new Map<string, string[]>();
  let versions: string[] | undefined;
  let isInEntries = false;
  let itemIndent = -1;
  for (const line of linesOf(text)) {
    if (/^[A-Za-z]/.test(line)) {
      isInEntries = line.trimEnd() === "entries:";
      if (line.startsWith("entries:") && !isInEntries) return undefined;
      continue;
    }
    if (!isInEntries) continue;
    const name = /^ {2}([\w.-]+): *$/.exec(line)?.[1];
    if (name !== undefined) {
      versions = [];
      itemIndent = -1;
      charts.set(name, versions);
      continue;
    }
    const [, indent = "", dash = "", value] = /^( *)(- )?version: (.+?) *$/.exec(line) ?? [];
    const item = /^( *)- /.exec(line)?.[1];
    // The first item of a chart tells how far its fields stand in.
    if (itemIndent === -1 && item !== undefined) itemIndent = item.length + 2;
    if (value === undefined || indent.length + dash.length !== itemIndent) continue;
    const version = plainScalar(value);
    if (versions === undefined || version === undefined) return undefined;
    versions.push(version);
  }
  const isComplete = charts.size > 0 && [...charts.values()].every((found) => found.length > 0);
  return isComplete ? charts : undefined;
}

function* linesOf(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const end = text.indexOf("\n", start);
    const stop = end === -1 ? text.length : end;
    yield text.slice(start, text[stop - 1] === "\r" ? stop - 1 : stop);
    start = stop + 1;
  }
}

/** A value without quotes or in plain ones; undefined for anything that needs YAML's rules. */
function plainScalar(value: string): string | undefined {
  return /^(["']?)([\w.+-]+)\1$/.exec(value)?.[2];
}

function readYaml(text: string): ChartVersions {
  const index = mappingOf(parse(text, { maxAliasCount: 100, schema: "failsafe" }), "it");
  const charts = new Map<string, string[]>();
  for (const [name, entries] of Object.entries(mappingOf(index.entries, "its `entries`"))) {
    const versions = (Array.isArray(entries) ? entries : []).flatMap((entry: { version?: unknown } | null) =>
      typeof entry?.version === "string" ? [entry.version] : [],
    );
    charts.set(name, versions);
  }
  return charts;
}

/** A page in place of an index is no repository without charts: somebody must be told of it. */
function mappingOf(value: unknown, what: string): Record<string, unknown> {
  // What is not there is nothing, and so is a null, which the failsafe schema leaves as it is written.
  if (value === undefined || value === null || ["", "null", "~"].includes(value as string)) return {};
  if (typeof value === "object" && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error(`${what} should be a mapping, and is ${Array.isArray(value) ? "a list" : "a text"}`);
}
