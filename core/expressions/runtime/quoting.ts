import { toIndentedJson, toJson } from "./json.ts";
import { encodeUtf8 } from "./text.ts";
import type { Value } from "./values.ts";
import { toYaml } from "./yaml.ts";

/** A string as a Go literal, anything else as JSON in quotes: either way the quotes make it a string. */
export function quote(value: Value): string {
  return typeof value === "string" ? goQuote(value) : unsafeQuote(value);
}

export function unsafeQuote(value: Value): string {
  return `"${toJson(value)}"`;
}

export function asYAML(value: Value): string {
  return `"${toYaml(value)}"`;
}

export function asJSON(value: Value): string {
  return `"${toIndentedJson(value)}\n"`;
}

const shortEscapes: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
  '"': '\\"',
};

/** What Go prints with %q. */
function goQuote(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return `"${text}"`;
  return `"${Array.from(text, escapeCharacter).join("")}"`;
}

function escapeCharacter(character: string): string {
  const short = shortEscapes[character];
  if (short) return short;
  const code = character.codePointAt(0) as number;
  if (code >= 0xdc80 && code <= 0xdcff) return hex("x", encodeUtf8(character)[0] ?? 0, 2);
  if (character === " " || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) return character;
  if (code < 0x80) return hex("x", code, 2);
  return code < 0x10000 ? hex("u", code, 4) : hex("U", code, 8);
}

function hex(mark: string, code: number, width: number): string {
  return `\\${mark}${code.toString(16).padStart(width, "0")}`;
}
