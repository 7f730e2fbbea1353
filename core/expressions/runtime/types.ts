import { Duration } from "./duration.ts";
import { Time } from "./time.ts";
import { Bytes, Callable, isFloat, isInt, isMap, Sized, Struct, type Value } from "./values.ts";
import { Version } from "./version.ts";
import { Location } from "./zone.ts";

/** The built-in `type`: the language's name for a value's type. */
export function typeOf(value: Value): string {
  if (value === null || value === undefined) return "nil";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  if (isInt(value)) return "int";
  if (isFloat(value)) return "float";
  if (Array.isArray(value) || value instanceof Bytes) return "array";
  if (isMap(value)) return "map";
  if (value instanceof Time || value instanceof Duration) return value.type;
  if (value instanceof Version) return "github.com/Masterminds/semver/v3.Version";
  if (value instanceof Location) return "time.Location";
  if (value instanceof Sized) return value.label === undefined ? "uint" : value.type;
  if (value instanceof Struct) return value.type;
  return value instanceof Callable ? "func" : "unknown";
}
