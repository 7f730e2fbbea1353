import { parse } from "smol-toml";
import { StepFailure } from "#core/failure.ts";
import { splitKey } from "./document-key.ts";
import { decimalText, plainText, quotedText } from "./go-text.ts";
import { applyEdits } from "./text-edit.ts";
import { pathKey, scanToml } from "./toml-scan.ts";
import type { ValueUpdate } from "./yaml-edit.ts";

/** Sets existing single values in a TOML text. Only the bytes of the values change. */
export function updateToml(source: string, updates: readonly ValueUpdate[]): string {
  parseToml(source);
  const { scalars, others } = scanToml(source.replace(/^\ufeff/, " "));
  const edits = updates.map(({ key, value }) => {
    const path = pathKey(splitKey(key));
    const place = scalars.get(path);
    if (place === undefined) {
      const why = others.has(path) ? "is a table or a list and not a single value" : "does not exist";
      throw new StepFailure("errored", `key "${key}" ${why}`);
    }
    const text = tomlText(value, source.slice(place.from, place.to));
    if (text === undefined) {
      throw new StepFailure("errored", `the value for key "${key}" is not a string, number or boolean`);
    }
    return { ...place, text };
  });
  return applyEdits(source, edits);
}

/** The data of a TOML text, its integers as bigint. */
export function parseToml(text: string): Record<string, unknown> {
  try {
    return parse(text.replace(/^\ufeff/, ""), { integersAsBigInt: true });
  } catch (error) {
    const why = error instanceof Error ? error.message.trim() : String(error);
    throw new StepFailure("errored", `it is not valid TOML: ${why}`, { cause: error });
  }
}

/** A value as commit messages show it. */
export function tomlValueText(value: unknown): string {
  return tomlText(value) ?? plainText(value);
}

/** A value as TOML; undefined for what is no single value. Whole numbers stay floats where floats were. */
function tomlText(value: unknown, old = ""): string | undefined {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return stringText(value);
  if (typeof value !== "number") return undefined;
  const wasFloat = /^[+-]?(inf|nan|\d[\d_]*(\.\d[\d_]*)?([eE][+-]?[\d_]+)?)$/.test(old) && /[.eEn]/.test(old);
  const isWhole = Number.isInteger(value);
  return isWhole && (wasFloat || !Number.isSafeInteger(value))
    ? `${decimalText(value)}.0`
    : decimalText(value);
}

/** Single quotes where nothing needs escaping. */
function stringText(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: TOML allows none of them in single quotes.
  return /['\u0000-\u0008\u000a-\u001f\u007f]/.test(text) ? quotedText(text) : `'${text}'`;
}
