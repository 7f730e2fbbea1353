import { base64 } from "./base64.ts";
import { Duration } from "./duration.ts";
import { mapEntries } from "./maps.ts";
import { isAscii } from "./text.ts";
import { Time } from "./time.ts";
import {
  AnyMap,
  Bytes,
  Callable,
  Float,
  fail,
  float,
  isFloat,
  isInt,
  isMap,
  isNil,
  Sized,
  Struct,
  typeName,
  type Value,
} from "./values.ts";
import { Version } from "./version.ts";

/** The text that Go's json.Marshal gives: keys sorted, <, > and & escaped. */
export function toJson(value: Value, at = -1): string {
  return write(value, "", "", at);
}

/** The text that Go's json.MarshalIndent gives with two spaces. */
export function toIndentedJson(value: Value, at = -1): string {
  return write(value, "\n", "  ", at);
}

/** `lineEnd` is what a line ends with and the next begins with: "" for no lines at all. */
function write(value: Value, lineEnd: string, indent: string, at: number): string {
  if (isNil(value)) return "null";
  if (value === undefined) return fail("reflect: call of reflect.Value.Index on map Value", at);
  if (typeof value === "string") return quote(value);
  if (typeof value === "boolean" || isInt(value)) return String(value);
  if (isFloat(value)) return writeFloat(value instanceof Float ? value.value : value, at);
  if (Array.isArray(value)) {
    return enclose(
      "[",
      value.map((element) => write(element, lineEnd + indent, indent, at)),
      "]",
      lineEnd,
      indent,
    );
  }
  if (value instanceof AnyMap || value instanceof Callable) {
    return fail(`json: unsupported type: ${typeName(value)}`, at);
  }
  if (isMap(value) || value instanceof Struct) {
    const members = isMap(value) ? mapEntries(value) : structEntries(value);
    return enclose(
      "{",
      members.map(
        ([key, entry]) =>
          `${quote(key as string)}:${indent && " "}${write(entry, lineEnd + indent, indent, at)}`,
      ),
      "}",
      lineEnd,
      indent,
    );
  }
  if (value instanceof Bytes) return `"${base64(value.data)}"`;
  if (value instanceof Sized) return String(value.value);
  if (value instanceof Duration) return String(value.nanoseconds);
  if (value instanceof Time || value instanceof Version) return quote(value.toJson());
  return "{}";
}

function structEntries(value: Struct): [string, Value][] {
  return value.fields
    .filter((field) => field.json !== "-" && !(field.omitEmpty && isEmpty(field.value)))
    .map((field) => [field.json, field.value]);
}

function isEmpty(value: Value): boolean {
  if (value === null || value === undefined || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && mapEntries(value).length === 0;
}

function enclose(open: string, members: string[], close: string, lineEnd: string, indent: string): string {
  if (members.length === 0) return open + close;
  const separator = lineEnd + indent;
  return open + separator + members.join(`,${separator}`) + lineEnd + close;
}

function writeFloat(value: number, at: number): string {
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
    return fail(`json: unsupported value: ${name}`, at);
  }
  if (Object.is(value, -0)) return "-0";
  return String(value);
}

/** Anything that is not plain ASCII, or is written with a backslash. */
const special = /[^ !#-%'-;=?-[\]-~]/;

function quote(text: string): string {
  if (!special.test(text)) return `"${text}"`;
  const plain = isAscii(text) ? text : text.toWellFormed();
  return JSON.stringify(plain).replace(/[<>&\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** What Go's json.Unmarshal makes of a text: every number is a float. */
export function fromJson(text: string, at: number): Value {
  let parsed: Value;
  try {
    parsed = JSON.parse(text, (_key, value) => (typeof value === "number" ? float(value) : value));
  } catch (error) {
    return fail(error instanceof Error ? `invalid JSON: ${error.message}` : String(error), at);
  }
  return parsed;
}
