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
  if (
    value instanceof Time ||
    value instanceof Duration ||
    value instanceof Version ||
    value instanceof Location
  )
    return value.toString();
  return value instanceof Callable ? `func ${value.name}` : String(value);
}

/** %v of a float: the shortest digits, and an exponent from 21 on and below -4. */
export function printFloat(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
  if (value === 0) return Object.is(value, -0) ? "-0" : "0";
  const [mantissa, exponent] = value.toExponential().split("e") as [string, string];
  const power = Number(exponent);
  if (power < -4 || power >= 21) {
    return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  }
  return power < -6 || power >= 0 ? plain(value) : plainSmall(mantissa, power);
}

function plain(value: number): string {
  return Math.abs(value) < 1e21 ? String(value) : value.toFixed(0);
}

function plainSmall(mantissa: string, power: number): string {
  const sign = mantissa.startsWith("-") ? "-" : "";
  return `${sign}0.${"0".repeat(-power - 1)}${mantissa.replace(/[-.]/g, "")}`;
}
