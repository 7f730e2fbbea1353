import { parse } from "yaml";
import { StepFailure } from "#core/failure.ts";

interface IndexEntry {
  apiVersion?: unknown;
  name?: unknown;
  version?: unknown;
  urls?: unknown;
}

/**
 * A chart repository's `index.yaml` with the addresses of some charts changed, and without all that helm does
 * not need to find them. Nothing of the old addresses is left, however they were written.
 */
export function chartUrls(
  index: string,
  charts: ReadonlySet<string>,
  changed: (url: string) => string | undefined,
): string {
  const all = readEntries(index, charts);
  const entries = [...charts].map((name) => {
    const versions = Object.hasOwn(all, name) && Array.isArray(all[name]) ? all[name] : [];
    return [name, versions.flatMap((entry: IndexEntry | null) => withUrl(name, entry, changed))];
  });
  return JSON.stringify({
    apiVersion: "v1",
    entries: Object.fromEntries(entries.filter(([, list]) => list?.length)),
  });
}

function withUrl(name: string, entry: IndexEntry | null, changed: (url: string) => string | undefined) {
  const urls = Array.isArray(entry?.urls) ? entry.urls : [];
  const first: unknown = urls.find((url) => typeof url === "string");
  const url = typeof first === "string" ? changed(first) : undefined;
  return url === undefined ? [] : [{ apiVersion: "v2", name, version: entry?.version, urls: [url] }];
}

/** Indexes run to tens of megabytes: where one is laid out as helm writes it, only what is wanted is parsed. */
function readEntries(index: string, charts: ReadonlySet<string>): Record<string, unknown> {
  try {
    const parts = [...charts].map((name) => sliceOf(index, name));
    const texts = parts.every((part) => part !== undefined) ? parts : undefined;
    if (texts === undefined)
      return (read(index) as { entries?: Record<string, unknown> } | null)?.entries ?? {};
    return Object.assign({}, ...texts.map(read)) as Record<string, unknown>;
  } catch (error) {
    throw new StepFailure("errored", "The index.yaml of a chart repository is not valid YAML", {
      cause: error,
    });
  }
}

function read(text: string): unknown {
  if (text.startsWith("{")) return JSON.parse(text);
  return parse(text, { schema: "failsafe", maxAliasCount: 100, logLevel: "error" });
}

/** The lines about one chart; undefined where that cannot be told without parsing. */
function sliceOf(index: string, name: string): string | undefined {
  const entries = /^entries:[ \t]*\r?$/m.exec(index)?.index;
  if (entries === undefined || !/^[\w.-]+$/.test(name)) return undefined;
  const found = [...index.matchAll(new RegExp(`^  ${name.replaceAll(".", "\\.")}:[ \\t]*\\r?$`, "gm"))];
  const start = found[0]?.index ?? -1;
  if (found.length !== 1 || start < entries) return undefined;
  const rest = index.slice(start + 1);
  const end = /^(?: {2})?[^\s#-]/m.exec(rest)?.index ?? rest.length;
  return index.slice(start, start + 1 + end);
}
