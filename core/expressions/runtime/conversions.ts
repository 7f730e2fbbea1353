import { Float, fail, isFloat, isInt, isUint, typeName, type Value } from "./values.ts";

/** The number of a numeric value as a float. */
export function toFloat(value: Value, at: number): number {
  if (typeof value === "number") return value;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Float || isUint(value)) return value.value;
  return fail(`invalid operation: float(${typeName(value)})`, at);
}

/** The int that a number becomes in Go: floats lose their fraction. */
export function toInt(value: Value, at: number): number | bigint {
  if (isInt(value)) return value;
  if (isUint(value)) return value.value;
  if (isFloat(value)) return truncate(value instanceof Float ? value.value : value);
  return fail(`invalid operation: int(${typeName(value)})`, at);
}

export function truncate(value: number): number | bigint {
  const whole = Math.trunc(value);
  if (Number.isSafeInteger(whole)) return whole + 0;
  // What Go makes of NaN, infinities and everything beyond 64 bits on the usual machines.
  return Math.abs(whole) < 2 ** 63 ? BigInt(whole) : -(2n ** 63n);
}

/** The string that a value is. */
export function text(value: Value, at: number): string {
  if (typeof value === "string") return value;
  const actual = value === null ? "nil" : typeName(value);
  return fail(`interface conversion: interface {} is ${actual}, not string`, at);
}
