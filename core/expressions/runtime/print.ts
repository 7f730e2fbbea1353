import { Duration } from "./duration.ts";
import { mapEntries } from "./maps.ts";
import { Time } from "./time.ts";
import { Bytes, Callable, Float, isInt, isMap, Sized, Struct, type Value } from "./values.ts";
import { Version } from "./version.ts";
import { Location } from "./zone.ts";

/** A value as Go's fmt prints it with %v: what `string()` gives. */
export function print(value: Value): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || isInt(value)) return String(value);
  if (typeof value === "number") return printFloat(value);
  if (value instanceof Float) return printFloat(value.value);
  if (value instanceof Sized) return value.label ?? String(value.value);
  if (value instanceof Bytes) return `[${value.data.join(" ")}]`;
  if (Array.isArray(value)) return `[${value.map(print).join(" ")}]`;
  if (isMap(value)) {
    return `map[${mapEntries(value)
      .map(([key, entry]) => `${print(key)}:${print(entry)}`)
      .join(" ")}]`;
  }
  if (value instanceof Struct) return `{${value.fields.map((field) => print(field.value)).join(" ")}}`;
  if ([Time, Duration, Version, Location].some((type) => value instanceof type)) return String(value);
  return value instanceof Callable ? `func ${value.name}` : String(value);
}

/** %v of a float: the shortest digits, and an exponent from a million on and below a ten-thousandth. */
export function printFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}
