import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from "yaml";
import type { Path } from "#core/resources/path.ts";
import { kubernetesScalars } from "#core/resources/yaml-scalars.ts";

/** Line and column, both from 1. */
export interface Position {
  line: number;
  column: number;
}

/** What one document of a YAML stream says. */
export interface YamlDocument {
  /** JSON; undefined when the document is empty or cannot be read at all. */
  value: unknown;
  problems: { severity: "error" | "warning"; at: Position; message: string }[];
  /** Where a value begins, or with "key" the key that it stands under; the nearest place that there is. */
  locate(path: Path, what?: "key" | "value"): Position;
}

/** How much may come of aliases; beyond it they are taken for an attack. */
const maxNodesFromAliases = 20_000;
const maxDepth = 200;
/** Reported for each document: what comes after the first errors is mostly their echo. */
const maxErrors = 5;

/** The documents of a YAML stream, or of a JSON text. What is wrong with one never touches the others. */
export function readYaml(text: string): YamlDocument[] {
  const lines = new LineCounter();
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lines.addNewLine(at + 1);
  lines.lineStarts.unshift(0);
  return splitDocuments(text)
    .map(({ start, end }) => readDocument(text.slice(start, end), start, lines))
    .filter(({ value, problems }) => value !== undefined || problems.length > 0);
}

/** Cuts at lines that start with `---`, as Kubernetes does, so that a document cannot swallow the next one. */
function splitDocuments(text: string): { start: number; end: number }[] {
  const parts: { start: number; end: number }[] = [];
  let start = 0;
  for (const match of text.matchAll(/^---(?=\s|$)/gm)) {
    if (match.index > start) parts.push({ start, end: match.index });
    start = match.index;
  }
  parts.push({ start, end: text.length });
  return parts.filter(({ start, end }) => !text.slice(start, end).split("\n").every(saysNothing));
}

/** Empty, a comment, a directive, or the mark of a document's end. */
function saysNothing(line: string): boolean {
  return /^(?:$|[#%]|\.\.\.$)/.test(line.trim());
}

function readDocument(text: string, start: number, lines: LineCounter): YamlDocument {
  const positionAt = (offset: number): Position => {
    const { line, col } = lines.linePos(start + Math.min(offset, text.length));
    return { line, column: col };
  };
  const problems: YamlDocument["problems"] = [];
  const parsed = parse(text);
  if (!parsed) {
    problems.push({ severity: "error", at: positionAt(0), message: "the document is nested too deeply" });
    return { value: undefined, problems, locate: () => positionAt(0) };
  }
  for (const { message, pos } of parsed.errors.slice(0, maxErrors)) {
    problems.push({ severity: "error", at: positionAt(pos[0]), message: syntaxMessage(message) });
  }
  const report: Report = (severity, node, message) =>
    problems.push({ severity, at: positionAt(node?.range?.[0] ?? 0), message });
  const value = problems.length > 0 ? undefined : toJson(parsed, report);
  return { value, problems, locate: (path, what) => positionAt(offsetOf(parsed, path, what ?? "value")) };
}

function parse(text: string): Document.Parsed | undefined {
  try {
    return parseDocument(text, {
      schema: "failsafe",
      customTags: (tags) => [...tags, ...kubernetesScalars],
      prettyErrors: false,
      logLevel: "silent",
      // Checked below: the library's own check compares every key with every other one.
      uniqueKeys: false,
    }) as Document.Parsed;
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** The library's message as the end of a sentence. */
function syntaxMessage(message: string): string {
  const reason = /call stack/.test(message)
    ? "it is nested too deeply"
    : message.charAt(0).toLowerCase() + message.slice(1);
  const quotes = /cannot start with|compact mappings/.test(reason) ? "; put the text in quotes" : "";
  return `cannot read the YAML: ${reason.trim()}${quotes}`;
}

type Report = (severity: "error" | "warning", node: Node | null | undefined, message: string) => void;

class Unreadable extends Error {
  readonly node: Node | null;
  constructor(node: Node | null, message: string) {
    super(message);
    this.node = node;
  }
}

/** The document as JSON: aliases and merges resolved, keys as text. */
function toJson(document: Document.Parsed, report: Report): unknown {
  let fromAliases = 0;

  function convert(node: unknown, depth: number, aliased: boolean): unknown {
    if (aliased && ++fromAliases > maxNodesFromAliases) {
      throw new Unreadable(node as Node, `the aliases stand for more than ${maxNodesFromAliases} values`);
    }
    if (depth > maxDepth) throw new Unreadable(node as Node, `nested deeper than ${maxDepth} levels`);
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (!target)
        throw new Unreadable(node, `the alias *${node.source} has no anchor &${node.source} before it`);
      return convert(target, depth + 1, true);
    }
    if (isMap(node)) return convertMap(node, depth, aliased);
    if (isSeq(node)) return node.items.map((item) => convert(item, depth + 1, aliased));
    return isScalar(node) ? node.value : null;
  }

  function convertMap(map: YAMLMap, depth: number, aliased: boolean): Record<string, unknown> {
    const own = new Map<string, unknown>();
    const merged: [string, unknown][] = [];
    for (const { key, value } of map.items) {
      if (isMergeKey(key)) merged.unshift(...mergeSources(value, depth, aliased));
      else {
        const name = keyText(key as Node | null);
        if (own.has(name) && !aliased)
          report("warning", key as Node, "the key is given twice, the last one counts");
        own.set(name, convert(value, depth + 1, aliased));
      }
    }
    // fromEntries defines properties, so that a key "__proto__" is a key like any other.
    return Object.fromEntries([...merged, ...own]);
  }

  /** Entries of what `<<` names; of several maps the first wins. */
  function mergeSources(value: unknown, depth: number, aliased: boolean): [string, unknown][] {
    const source = isAlias(value) ? value.resolve(document) : value;
    if (isSeq(source))
      return source.items.toReversed().flatMap((item) => mergeSources(item, depth + 1, aliased));
    if (!isMap(source)) throw new Unreadable(value as Node, "<< needs a mapping, or a list of mappings");
    return Object.entries(convert(source, depth + 1, aliased || isAlias(value)) as Record<string, unknown>);
  }

  try {
    return convert(document.contents, 0, false) ?? undefined;
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    report("error", error.node, error.message);
    return undefined;
  }
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === "<<" && (key.type === "PLAIN" || key.type === undefined);
}

function keyText(key: Node | null): string {
  if (!isScalar(key) || key.value === null) {
    throw new Unreadable(key, `a key must be text${isCollection(key) ? ", not a mapping or a list" : ""}`);
  }
  return String(key.value);
}

function offsetOf(document: Document.Parsed, path: Path, what: "key" | "value"): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, key] of path.entries()) {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (isMap(target)) {
      const pair = findPair(document, target, String(key));
      if (!pair) return offset;
      const last = index === path.length - 1;
      const atKey = startOf(pair.key);
      const atValue = isEmpty(pair.value) ? undefined : startOf(pair.value);
      offset = (last && what === "key" ? atKey : (atValue ?? atKey)) ?? offset;
      node = pair.value;
    } else if (isSeq(target) && typeof key === "number" && key < target.items.length) {
      node = target.items[key];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

/** The pair of a key; the last one when it is repeated, or one that was merged into the map. */
function findPair(document: Document.Parsed, map: YAMLMap, key: string): Pair | undefined {
  const own = map.items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  if (own) return own;
  for (const pair of map.items.filter((pair) => isMergeKey(pair.key))) {
    const source = isAlias(pair.value) ? pair.value.resolve(document) : pair.value;
    for (const item of isSeq(source) ? source.items : [source]) {
      const target = isAlias(item) ? item.resolve(document) : item;
      const found = isMap(target) ? findPair(document, target, key) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

function startOf(node: unknown): number | undefined {
  if (isPair(node)) return startOf(node.key);
  const range = (node as Node | null | undefined)?.range;
  return range ? range[0] : undefined;
}

/** `key:` with nothing after it; its value stands nowhere. */
function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && node.source === "");
}
