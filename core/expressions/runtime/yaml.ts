import { base64 } from "./base64.ts";
import { Duration } from "./duration.ts";
import { mapEntries } from "./maps.ts";
import { printFloat } from "./print.ts";
import { encodeUtf8 } from "./text.ts";
import { Time } from "./time.ts";
import { parseTime } from "./time-parse.ts";
import {
  Bytes,
  Callable,
  Float,
  fail,
  isFloat,
  isInt,
  isMap,
  Sized,
  Struct,
  typeName,
  type Value,
} from "./values.ts";
import { Version } from "./version.ts";
import { compareYamlKeys } from "./yaml-keys.ts";

/** The text that Go's yaml.v3 writes: blocks indented by four, lists by two. */
export function toYaml(value: Value): string {
  return `${writeNode(value, { indent: -1, inList: false }).replace(/^[\n ]/, "")}\n`;
}

/** Where a node stands: how far its parent is indented, and whether that is a list. */
interface Place {
  readonly indent: number;
  readonly inList: boolean;
}

const unit = 4;

function indentBelow({ indent, inList }: Place): number {
  if (indent < 0) return 0;
  return inList ? indent + 2 : unit * Math.floor((indent + unit) / unit);
}

/** A node with what stands before it: a space, or the line end of a block. */
function writeNode(value: Value, place: Place): string {
  if (value instanceof Bytes) return writeList(value.data, place);
  if (Array.isArray(value)) return writeList(value, place);
  if (isMap(value)) {
    const entries = mapEntries(value).sort(([a], [b]) => compareYamlKeys(a, b));
    return writeMap(entries, place);
  }
  if (value instanceof Struct) {
    return writeMap(
      value.fields.map((field): [Value, Value] => [field.name.toLowerCase(), field.value]),
      place,
    );
  }
  return ` ${writeScalar(value, place)}`;
}

function writeList(elements: readonly Value[], place: Place): string {
  if (elements.length === 0) return " []";
  const indent = indentBelow(place);
  const inner: Place = { indent, inList: true };
  const lines = elements.map((element) => `-${inlineBlock(writeNode(element, inner), indent + 2)}`);
  return block(lines, indent);
}

function writeMap(entries: readonly [Value, Value][], place: Place): string {
  if (entries.length === 0) return " {}";
  const indent = indentBelow(place);
  const inner: Place = { indent, inList: false };
  const lines = entries.map(([key, value]) => {
    const name = typeof key === "string" ? writeKey(key) : writeScalar(key, inner);
    const simple = encodeUtf8(String(key)).length <= 128 && !String(key).includes("\n");
    const written = writeNode(value, inner);
    return simple
      ? `${name}:${written}`
      : `? ${name}\n${" ".repeat(indent)}:${inlineBlock(written, indent + 2)}`;
  });
  return block(lines, indent);
}

function block(lines: readonly string[], indent: number): string {
  const margin = " ".repeat(indent);
  return `\n${lines.map((line) => margin + line).join("\n")}`;
}

/** A block that begins on the line of its list's dash, where its first line's indentation already is. */
function inlineBlock(written: string, indent: number): string {
  return written.startsWith("\n") ? ` ${written.slice(1 + indent)}` : written;
}

function writeScalar(value: Value, place: Place): string {
  if (value === null || value === undefined) return "null";
  if (typeof value === "string") return writeString(value, place);
  if (typeof value === "boolean" || isInt(value)) return String(value);
  if (isFloat(value)) return writeFloat(value instanceof Float ? value.value : value);
  if (value instanceof Sized) return String(value.value);
  if (value instanceof Duration || value instanceof Version) return writeString(value.toString(), place);
  if (value instanceof Time) return value.toJson();
  if (value instanceof Callable) return fail(`cannot marshal type: ${typeName(value)}`);
  return "{}";
}

function writeFloat(value: number): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  return printFloat(value);
}

// Strings

function writeKey(key: string): string {
  if (key === "") return '""';
  return key.includes("\n") || isBinary(key) ? doubleQuoted(key) : flowString(key);
}

function writeString(text: string, place: Place): string {
  if (isBinary(text)) return `!!binary ${base64(encodeUtf8(text))}`;
  if (text.includes("\n") && blockAllowed(text)) return literal(text, indentBelow(place) || unit);
  return text.includes("\n") ? doubleQuoted(text) : flowString(text);
}

function flowString(text: string): string {
  if (meansSomethingElse(text)) return doubleQuoted(text);
  if (plainAllowed(text)) return text;
  return /[\t]/.test(text) || unprintable.test(text) ? doubleQuoted(text) : `'${text.replaceAll("'", "''")}'`;
}

function isBinary(text: string): boolean {
  return /[\udc80-\udcff]/.test(text) && !text.isWellFormed();
}

const unprintable = /[^\n\x20-\x7e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

function blockAllowed(text: string): boolean {
  return !text.endsWith(" ") && !/ \n/.test(text) && !unprintable.test(text.replaceAll("\t", ""));
}

function plainAllowed(text: string): boolean {
  return (
    !/^ | $|\t|^---|^\.\.\.|^[#,[\]{}&*!|>'"%@`]|^[?:-](?: |$)|: |:$| #/.test(text) && !unprintable.test(text)
  );
}

/** Whether the text, unquoted, would be read as something that is no string. */
function meansSomethingElse(text: string): boolean {
  if (/^(?:true|false|null|y|n|yes|no|on|off)$/.test(text.toLowerCase()) && isCased(text)) return true;
  if (text === "" || text === "~" || /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/.test(text)) return true;
  if (/^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text)) return true;
  return (
    (/^[-+\d]/.test(text) && (isTimestamp(text) || isNumber(text.replaceAll("_", "")))) || isPointFloat(text)
  );
}

/** "true", "True" and "TRUE", but not "tRUE". */
function isCased(text: string): boolean {
  return text === text.toLowerCase() || text === text.toUpperCase() || /^[A-Z][a-z]*$/.test(text);
}

function isNumber(text: string): boolean {
  return /^[-+]?(?:0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|[1-9]\d*|0)$/.test(text) &&
    fitsSixtyFourBits(text)
    ? true
    : /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text) && Number.isFinite(Number(text));
}

function fitsSixtyFourBits(text: string): boolean {
  const digits = text.replace(/^[-+]/, "").replace(/^0(?=[0-7]+$)/, "0o");
  return BigInt(digits) < 1n << (text.startsWith("-") ? 63n : 64n);
}

function isPointFloat(text: string): boolean {
  return /^\.\d[\d_]*(?:[eE][-+]?\d+)?$/.test(text);
}

const timestampLayouts = [
  "2006-1-2T15:4:5.999999999Z07:00",
  "2006-1-2t15:4:5.999999999Z07:00",
  "2006-1-2 15:4:5.999999999",
  "2006-1-2",
];

function isTimestamp(text: string): boolean {
  if (!/^\d{4}-/.test(text)) return false;
  return timestampLayouts.some((layout) => typeof parseTime(layout, text, undefined) !== "string");
}

/** A block: its lines as they are, behind a bar that says how it starts and how it ends. */
function literal(text: string, indent: number): string {
  const margin = " ".repeat(indent);
  const hint = /^[ \n]/.test(text) ? String(unit) : "";
  const chomp = text.endsWith("\n\n") || text === "\n" ? "+" : text.endsWith("\n") ? "" : "-";
  const lines = (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n");
  return `|${hint}${chomp}\n${lines.map((line) => (line === "" ? "" : margin + line)).join("\n")}`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  "\0": "\\0",
  "\x07": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\x1b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\x85": "\\N",
  "\u00a0": "\\_",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function doubleQuoted(text: string): string {
  const escaped = Array.from(text, (character) => {
    if (character !== "\u00a0" && shortEscapes[character]) return shortEscapes[character];
    return unprintable.test(character) ? hexEscape(character.codePointAt(0) as number) : character;
  });
  return `"${escaped.join("")}"`;
}

function hexEscape(code: number): string {
  const [mark, width] = code <= 0xff ? ["x", 2] : code <= 0xffff ? ["u", 4] : ["U", 8];
  return `\\${mark}${code
    .toString(16)
    .toUpperCase()
    .padStart(width as number, "0")}`;
}
