import { base64, fromBase64 } from "./base64.ts";
import { spend } from "./budget.ts";
import { text, toInt } from "./conversions.ts";
import { byteLength, decodeUtf8, encodeUtf8 } from "./text.ts";
import { fail, nilArray, typeName, type Value } from "./values.ts";

export function trim(value: Value, cutset: Value | undefined, at: number): string {
  const source = text(value, at);
  if (cutset === undefined) return trimSpace(source);
  const cut = new Set(text(cutset, at));
  const characters = [...source];
  let start = 0;
  let end = characters.length;
  while (start < end && cut.has(characters[start] as string)) start++;
  while (end > start && cut.has(characters[end - 1] as string)) end--;
  return characters.slice(start, end).join("");
}

function trimSpace(source: string): string {
  const space = "[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
  let end = source.length;
  while (end > 0 && new RegExp(space).test(source.charAt(end - 1))) end--;
  return source.slice(0, end).replace(new RegExp(`^${space}+`), "");
}

export function trimPrefix(value: Value, prefix: Value | undefined, at: number): string {
  const [source, cut] = [text(value, at), prefix === undefined ? " " : text(prefix, at)];
  return source.startsWith(cut) ? source.slice(cut.length) : source;
}

export function trimSuffix(value: Value, suffix: Value | undefined, at: number): string {
  const [source, cut] = [text(value, at), suffix === undefined ? " " : text(suffix, at)];
  return source.endsWith(cut) ? source.slice(0, source.length - cut.length) : source;
}

/** Go maps each character for itself: ß stays ß. */
export function upper(value: Value, at: number): string {
  return mapCharacters(text(value, at), (character) => character.toUpperCase());
}

export function lower(value: Value, at: number): string {
  return mapCharacters(text(value, at), (character) => character.toLowerCase());
}

function mapCharacters(source: string, change: (character: string) => string): string {
  if (/^[\0-\x7f]*$/.test(source)) return change(source);
  return Array.from(source, (character) => {
    const changed = change(character);
    return [...changed].length === 1 ? changed : character === "İ" ? "i" : character;
  }).join("");
}

export function split(value: Value, separator: Value, limit: Value | undefined, at: number): Value {
  return splitParts(text(value, at), text(separator, at), limit, false, at);
}

export function splitAfter(value: Value, separator: Value, limit: Value | undefined, at: number): Value {
  return splitParts(text(value, at), text(separator, at), limit, true, at);
}

function splitParts(
  source: string,
  separator: string,
  limit: Value | undefined,
  keep: boolean,
  at: number,
): Value {
  const count = limit === undefined ? -1 : Number(toInt(limit, at));
  if (count === 0) return nilArray;
  const parts = separator === "" ? [...source] : source.split(separator);
  const tooMany = count > 0 && parts.length > count;
  const result = tooMany ? [...parts.slice(0, count - 1), parts.slice(count - 1).join(separator)] : parts;
  return keep ? result.map((part, index) => (index < result.length - 1 ? part + separator : part)) : result;
}

export function replace(value: Value, old: Value, by: Value, limit: Value | undefined, at: number): string {
  const [source, from, to] = [text(value, at), text(old, at), text(by, at)];
  const count = limit === undefined ? -1 : Number(toInt(limit, at));
  if (count === 0 || from === to) return source;
  const parts = from === "" ? ["", ...source, ""] : source.split(from);
  const pieces = parts.length - 1;
  const replaced = count < 0 ? pieces : Math.min(count, pieces);
  return (
    parts.slice(0, replaced + 1).join(to) +
    parts
      .slice(replaced + 1)
      .map((part) => from + part)
      .join("")
  );
}

export function repeat(value: Value, times: Value, at: number): string {
  const source = text(value, at);
  const count = Number(toInt(times, at));
  if (count < 0) return fail(`invalid argument for repeat (expected positive integer, got ${count})`, at);
  if (count > 1e6) return fail("memory budget exceeded", at);
  spend(byteLength(source) * count, at);
  return source.repeat(count);
}

export function join(value: Value, glue: Value | undefined, at: number): string {
  if (!Array.isArray(value)) return fail(`invalid argument for join (type ${typeName(value)})`, at);
  return value.map((part) => text(part, at)).join(glue === undefined ? "" : text(glue, at));
}

/** In bytes, as Go counts; -1 when it is not there. */
export function indexOf(value: Value, part: Value, at: number): number {
  return byteOffset(text(value, at), text(value, at).indexOf(text(part, at)));
}

export function lastIndexOf(value: Value, part: Value, at: number): number {
  return byteOffset(text(value, at), text(value, at).lastIndexOf(text(part, at)));
}

function byteOffset(source: string, index: number): number {
  return index <= 0 ? index : byteLength(source.slice(0, index));
}

export function hasPrefix(value: Value, prefix: Value, at: number): boolean {
  return text(value, at).startsWith(text(prefix, at));
}

export function hasSuffix(value: Value, suffix: Value, at: number): boolean {
  return text(value, at).endsWith(text(suffix, at));
}

export function toBase64(value: Value, at: number): string {
  return base64(encodeUtf8(text(value, at)));
}

export function fromBase64Text(value: Value, at: number): string {
  return decodeUtf8(fromBase64(text(value, at), at));
}
