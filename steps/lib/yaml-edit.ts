import { isAlias, isMap, isScalar, isSeq, type Pair, parse, parseAllDocuments, type Scalar } from "yaml";
import { StepFailure } from "#core/failure.ts";
import { nearestName } from "#core/nearest-name.ts";
import { splitKey } from "./document-key.ts";
import { plainText, quotedText } from "./go-text.ts";
import { applyEdits, type TextEdit } from "./text-edit.ts";
import { type YamlSection, yamlSections } from "./yaml-sections.ts";

export interface ValueUpdate {
  key: string;
  value: unknown;
}

/** From how many characters on only the parts of a text are parsed that are to be changed. */
const largeText = 32 * 1024;

/**
 * Sets existing scalars in the first document of a YAML text. Only the bytes of the values change: comments,
 * anchors, order, line ends and quotes elsewhere stay. A value is written plain unless that would mean
 * something else, so text that looks like a number gets quotes.
 */
export function updateYaml(text: string, updates: readonly ValueUpdate[]): string {
  // The parser would take a byte order mark for an indent.
  const [mark = ""] = /^\ufeff?/.exec(text) ?? [];
  const source = text.slice(mark.length);
  const partOf = partsOf(source);
  const edits = updates.map(({ key, value }) => {
    if (typeof value === "object" && value !== null) {
      throw new StepFailure("errored", `the value for key "${key}" is not a string, number or boolean`);
    }
    const path = splitKey(key);
    const { from, text: part, root } = partOf(path[0] ?? "");
    const edit = editOf(part, findScalar(root, path, key), value);
    return { ...edit, from: edit.from + from, to: edit.to + from };
  });
  return mark + applyEdits(source, edits);
}

/** What has to be parsed to find a key, parsed: its lines in a large text, or everything. */
interface Part extends YamlSection {
  root: unknown;
}

function partsOf(source: string): (key: string) => Part {
  const parts = new Map<string, Part>();
  let whole: Part | undefined;
  const parseWhole = () => ({ from: 0, text: source, root: parseFirst(source) });
  const sections = source.length < largeText ? undefined : yamlSections(source);
  if (sections === undefined) whole = parseWhole();
  return (key) => {
    if (whole !== undefined) return whole;
    const section = sections?.(key);
    if (section === undefined) {
      whole = parseWhole();
      return whole;
    }
    const part = parts.get(key) ?? { ...section, root: parseFirst(section.text) };
    parts.set(key, part);
    return part;
  };
}

function parseFirst(source: string): unknown {
  const [document] = parseAllDocuments(source, { uniqueKeys: false, logLevel: "silent" });
  const [error] = document?.errors ?? [];
  if (error) throw new StepFailure("errored", `it is not valid YAML: ${error.message}`, { cause: error });
  return document?.contents;
}

interface Place {
  node: Scalar;
  inFlow: boolean;
}

function findScalar(root: unknown, parts: readonly string[], key: string): Place {
  let node = root;
  let inFlow = false;
  const wrong = (why: string) => new StepFailure("errored", `key "${key}" ${why}`);
  for (const [depth, part] of parts.entries()) {
    const where = depth === 0 ? "the file" : `"${parts.slice(0, depth).join(".")}"`;
    if (isMap(node)) {
      inFlow ||= node.flow === true;
      const pair = node.items.find((item) => keyText(item) === part);
      if (pair === undefined) {
        const near = nearestName(part, node.items.map(keyText));
        const hint = near === undefined ? "" : `, did you mean "${near}"?`;
        throw wrong(`does not exist: ${where} has no "${part}"${hint}`);
      }
      node = pair.value;
    } else if (isSeq(node)) {
      inFlow ||= node.flow === true;
      const index = /^\+?\d+$/.test(part) ? Number(part) : Number.NaN;
      if (!(index < node.items.length)) {
        throw wrong(
          `does not exist: ${where} is a list of ${node.items.length}, and "${part}" is no index of it`,
        );
      }
      node = node.items[index];
    } else if (isAlias(node)) {
      throw wrong(`leads into the alias "*${node.source}": name the place that it stands for`);
    } else {
      throw wrong(`does not exist: ${where} is a single value`);
    }
  }
  if (isScalar(node) && node.range) return { node, inFlow };
  if (isAlias(node)) throw wrong(`is the alias "*${node.source}": name the place that it stands for`);
  throw wrong("does not address a single value");
}

function keyText({ key }: Pair): string {
  if (!isScalar(key)) return "";
  return key.source ?? String(key.value);
}

function editOf(source: string, { node, inFlow }: Place, value: unknown): TextEdit {
  const [from = 0, to = 0] = node.range ?? [];
  const old = source.slice(from, to);
  const newline = /\r?\n$/.exec(old)?.[0] ?? "";
  // A JSON reader may want the quotes that YAML can do without.
  const staysQuoted = inFlow && node.type === "QUOTE_DOUBLE" && typeof value === "string";
  const text = staysQuoted ? quotedText(value) : scalarText(value, inFlow);
  const tag = explicitTag(source, from, node);
  const keepsTag = tag !== undefined && means(`${tag.text} ${text}`, value, inFlow);
  const space = from === to && !/\s/.test(source[from - 1] ?? " ") ? " " : "";
  const after = from === to && source[to] === "#" ? " " : "";
  return { from: tag === undefined || keepsTag ? from : tag.from, to, text: space + text + after + newline };
}

/** The tag before a value. An anchor may stand between the two; then the tag stays where it is. */
function explicitTag(source: string, valueFrom: number, node: Scalar) {
  if (node.tag === undefined) return undefined;
  const before = source.slice(Math.max(0, valueFrom - 200), valueFrom);
  const found = /(![^\s,[\]{}]*)\s+$/.exec(before);
  return found?.[1] === undefined ? undefined : { text: found[1], from: valueFrom - found[0].length };
}

/** White space at an end, and characters that do not print: some reader is sure to trip over them. */
const edgyText = /^\s|\s$|[\p{Cc}\u2028\u2029\ufeff]/u;

/** How a value is written where nothing speaks against leaving quotes out. */
function scalarText(value: unknown, inFlow: boolean): string {
  if (typeof value !== "string") return value === null ? "null" : plainText(value);
  const isPlain = !edgyText.test(value) && !looksLikeOther(value) && means(value, value, inFlow);
  return isPlain ? value : quotedText(value);
}

/** A value as commit messages show it: in quotes when it would else look like something other than text. */
export function valueText(value: unknown): string {
  return typeof value === "string" && looksLikeOther(value) ? quotedText(value) : plainText(value);
}

/** True for text that YAML or another reader of the file would take for a number, a boolean or JSON. */
function looksLikeOther(text: string): boolean {
  if (/^[+-]?(\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(e[+-]?\d+)?$/i.test(text)) return true;
  if (
    /^[+-]?(\.?inf|infinity|\.?nan|0x[\da-f_]+(\.[\da-f_]*)?(p[+-]?\d+)?|0b[01_]+|0o[0-7_]+)$/i.test(text)
  ) {
    return true;
  }
  if (/^(t|true|f|false)$/i.test(text)) return true;
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** True when a scalar written so is read as the value. */
function means(text: string, value: unknown, inFlow: boolean): boolean {
  // A line of its own and a comment after it: text that would swallow either must be quoted.
  const sample = inFlow ? `[${text}, 1]\n` : `k: ${text} # end\n`;
  try {
    const read: unknown = parse(sample, { logLevel: "error" });
    const expected = inFlow ? [value, 1] : { k: value };
    return JSON.stringify(read) === JSON.stringify(expected);
  } catch {
    return false;
  }
}
