import { StepFailure } from "#core/failure.ts";
import { decimalText } from "./go-text.ts";
import { childrenOf, type JsonChild, kindOf, valueEnd, valueStart } from "./json-scan.ts";
import type { ValueUpdate } from "./yaml-edit.ts";

/**
 * Sets values in a JSON text by keys such as `a.b.0`, one update after the other. What exists is replaced
 * where it stands; what does not is added at the end of its object, or of its list when the index lies
 * behind the end or is -1. All other bytes stay.
 */
export function updateJson(source: string, updates: readonly ValueUpdate[]): string {
  return updates.reduce((text, { key, value }) => {
    const written = jsonText(key, value);
    return setIn(text, partsOf(key), written);
  }, source);
}

interface Part {
  name: string;
  /** Written with a colon before it: digits are a name, then, and no index. */
  isName: boolean;
}

/** The parts of a key. A backslash takes the meaning from any character behind it. */
function partsOf(key: string): Part[] {
  if (key === "") throw new StepFailure("errored", "the key is empty");
  return [...key.matchAll(/(:?)((?:\\[\s\S]?|[^.\\])*)(?:\.|$)/g)]
    .slice(0, key.endsWith(".") ? undefined : -1)
    .map(([, colon = "", text = ""]) => ({ name: text.replace(/\\([\s\S]?)/g, "$1"), isName: colon !== "" }));
}

function jsonText(key: string, value: unknown): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") return decimalText(value);
  if (typeof value !== "string") {
    throw new StepFailure("errored", `the value for key "${key}" is not a string, number or boolean`);
  }
  const text = JSON.stringify(value);
  // Go escapes these three for HTML, but only where it has something else to escape.
  const isPlain = /^[ -\u007f]*$/.test(value) && text.length === value.length + 2;
  return isPlain ? text : text.replace(/[<>&\u2028\u2029]/g, escaped);
}

function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

function setIn(text: string, parts: readonly Part[], written: string): string {
  const [part, ...rest] = parts;
  if (part === undefined) return written;
  const start = valueStart(text);
  const kind = kindOf(text[start]);
  if (kind === "other") return replacement(part, rest, written);
  const end = valueEnd(text, start);
  const children = childrenOf(text, start);
  const child = findChild(kind, children, part);
  if (child) {
    const inner = rest.length === 0 ? written : setIn(text.slice(child.from, child.to), rest, written);
    return text.slice(0, child.from) + inner + text.slice(child.to);
  }
  const added = rest.length === 0 ? written : buildFrom(rest, written);
  const body =
    kind === "object"
      ? withMember(text, start, end, children, part, added)
      : withElement(text, start, end, children, part, added);
  return text.slice(0, start) + body + text.slice(end);
}

function findChild(
  kind: "object" | "array",
  children: readonly JsonChild[],
  part: Part,
): JsonChild | undefined {
  if (kind === "object") return children.find(({ name }) => name === part.name);
  // An entry that exists is found by its digits, whether they are called a name or not.
  return /^\d+$/.test(part.name) ? children[Number(part.name)] : undefined;
}

function indexOf({ name, isName }: Part): number | undefined {
  return !isName && /^\d+$/.test(name) ? Number(name) : undefined;
}

function withMember(
  text: string,
  start: number,
  end: number,
  children: readonly JsonChild[],
  part: Part,
  added: string,
): string {
  const comma = children.length > 0 ? "," : "";
  return `${text.slice(start, end - 1)}${comma}${jsonText("", part.name)}:${added}}`;
}

const mostPadding = 10_000;

function withElement(
  text: string,
  start: number,
  end: number,
  children: readonly JsonChild[],
  part: Part,
  added: string,
): string {
  const index = indexOf(part);
  const comma = children.length > 0 ? "," : "";
  if (index === undefined) {
    if (part.name === "-1" && !part.isName) return `${text.slice(start, end - 1)}${comma}${added}]`;
    throw new StepFailure("errored", `"${part.name}" is no index of a list`);
  }
  if (index - children.length > mostPadding)
    throw new StepFailure("errored", `index ${index} is too far behind the end`);
  const elements = children.map(({ from, to }) => text.slice(from, to));
  const padding = new Array<string>(index - children.length).fill("null");
  return `[${[...elements, ...padding, added].join(",")}]`;
}

/** What stands instead of a single value, or of nothing, where a key leads on: -1 is a name here. */
function replacement(part: Part, rest: readonly Part[], written: string): string {
  return buildFrom(
    indexOf(part) === undefined ? [{ ...part, isName: true }, ...rest] : [part, ...rest],
    written,
  );
}

/** Objects and lists around a value that has no place yet. */
function buildFrom(parts: readonly Part[], written: string): string {
  return parts.reduceRight((inner, part) => {
    const index = indexOf(part);
    if (index === undefined && (part.name !== "-1" || part.isName))
      return `{${jsonText("", part.name)}:${inner}}`;
    if ((index ?? 0) > mostPadding)
      throw new StepFailure("errored", `index ${index} is too far behind the end`);
    return `[${"null,".repeat(index ?? 0)}${inner}]`;
  }, written);
}
