import { type Document, LineCounter, parseDocument } from "yaml";
import type { Path } from "#core/resources/path.ts";
import { type Report, toJson } from "#core/resources/yaml-json.ts";
import { offsetOf } from "#core/resources/yaml-places.ts";
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
  const { value, targets } =
    problems.length > 0 ? { value: undefined, targets: new Map() } : toJson(parsed, report);
  return {
    value,
    problems,
    locate: (path, what) => positionAt(offsetOf(parsed, targets, path, what ?? "value")),
  };
}

function parse(text: string): Document.Parsed | undefined {
  try {
    return parseDocument(text, {
      schema: "failsafe",
      customTags: (tags) => [...tags, ...kubernetesScalars],
      prettyErrors: false,
      logLevel: "silent",
      // Checked with the rest: the library's own check compares every key with every other one.
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
