import { text, toFloat, toInt } from "./conversions.ts";
import { Duration } from "./duration.ts";
import { mapEntries, mapHas, mapSize } from "./maps.ts";
import { matchesPattern } from "./patterns.ts";
import { compareStrings, decodeUtf8 } from "./text.ts";
import { Time } from "./time.ts";
import {
  AnyMap,
  Bytes,
  Float,
  fail,
  float,
  isFloat,
  isInt,
  isMap,
  isNil,
  isNumber,
  isPlainMap,
  isUint,
  Sized,
  Struct,
  TypedMap,
  typeName,
  type Value,
  wrap,
} from "./values.ts";
import { Version } from "./version.ts";

type Arithmetic = {
  readonly symbol: string;
  readonly small: (a: number, b: number) => number;
  readonly large: (a: bigint, b: bigint) => bigint;
};

const addition: Arithmetic = { symbol: "+", small: (a, b) => a + b, large: (a, b) => a + b };
const subtraction: Arithmetic = { symbol: "-", small: (a, b) => a - b, large: (a, b) => a - b };
const multiplication: Arithmetic = { symbol: "*", small: (a, b) => a * b, large: (a, b) => a * b };

function arithmetic(a: Value, b: Value, { symbol, small, large }: Arithmetic, at: number): Value {
  if (isInt(a) && isInt(b)) {
    if (typeof a === "number" && typeof b === "number") {
      const result = small(a, b);
      if (Number.isSafeInteger(result)) return result + 0;
    }
    return wrap(large(BigInt(a), BigInt(b)));
  }
  if (isNumber(a) && isNumber(b)) {
    if (isFloat(a) || isFloat(b)) return float(small(toFloat(a, at), toFloat(b, at)));
    return wrap(large(BigInt(toInt(a, at)), BigInt(toInt(b, at))));
  }
  return mismatch(a, symbol, b, at);
}

function mismatch(a: Value, operator: string, b: Value, at: number): never {
  return fail(`invalid operation: ${typeName(a)} ${operator} ${typeName(b)}`, at);
}

export function add(a: Value, b: Value, at: number): Value {
  if (typeof a === "string" && typeof b === "string") return a + b;
  if (a instanceof Time && b instanceof Duration) return a.add(b);
  if (a instanceof Duration && b instanceof Time) return b.add(a);
  if (a instanceof Duration && b instanceof Duration) return a.plus(b);
  return arithmetic(a, b, addition, at);
}

export function subtract(a: Value, b: Value, at: number): Value {
  if (a instanceof Time && b instanceof Time) return a.sub(b);
  if (a instanceof Time && b instanceof Duration) return a.add(b.negated());
  if (a instanceof Duration && b instanceof Duration) return a.plus(b.negated());
  return arithmetic(a, b, subtraction, at);
}

export function multiply(a: Value, b: Value, at: number): Value {
  if (a instanceof Duration) return a.times(b, at) ?? mismatch(a, "*", b, at);
  if (b instanceof Duration) return b.times(a, at) ?? mismatch(a, "*", b, at);
  return arithmetic(a, b, multiplication, at);
}

export function divide(a: Value, b: Value, at: number): Value {
  if (!isNumber(a) || !isNumber(b)) return mismatch(a, "/", b, at);
  return float(toFloat(a, at) / toFloat(b, at));
}

export function modulo(a: Value, b: Value, at: number): Value {
  if (!(isInt(a) || isUint(a)) || !(isInt(b) || isUint(b))) return mismatch(a, "%", b, at);
  const divisor = BigInt(toInt(b, at));
  if (divisor === 0n) return fail("runtime error: integer divide by zero", at);
  return wrap(BigInt(toInt(a, at)) % divisor);
}

export function power(a: Value, b: Value, at: number): Value {
  const base = toFloat(a, at);
  const exponent = toFloat(b, at);
  // Where JavaScript says NaN, Go (and C) know that 1 to any power and -1 to an infinite one are 1.
  if (base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY)) return float(1);
  return float(base ** exponent);
}

export function negate(value: Value, at: number): Value {
  if (typeof value === "number") return isInt(value) ? 0 - value : -value;
  if (typeof value === "bigint") return wrap(-value);
  if (value instanceof Float) return new Float(-value.value);
  if (isUint(value)) {
    const bits = value.type === "uint8" ? 8 : 64;
    return new Sized(value.type, Number(-BigInt(value.value) & ((1n << BigInt(bits)) - 1n)));
  }
  return fail(`invalid operation: - ${typeName(value)}`, at);
}

// Booleans

export function bool(value: Value, at: number): boolean {
  if (typeof value === "boolean") return value;
  const actual = value === null ? "nil" : typeName(value);
  return fail(`interface conversion: interface {} is ${actual}, not bool`, at);
}

// Comparison

function order(a: Value, operator: string, b: Value, at: number): number {
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b, at);
  if (a instanceof Time && b instanceof Time) return a.compare(b);
  if (a instanceof Duration && b instanceof Duration) return compareNumbers(a.nanoseconds, b.nanoseconds, at);
  return mismatch(a, operator, b, at);
}

/** Negative, zero or positive; NaN when one of the two is. */
function compareNumbers(a: Value, b: Value, at: number): number {
  if (isFloat(a) || isFloat(b)) {
    const x = toFloat(a, at);
    const y = toFloat(b, at);
    return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN;
  }
  const x = toInt(a, at);
  const y = toInt(b, at);
  return x < y ? -1 : x > y ? 1 : 0;
}

export const less = (a: Value, b: Value, at: number): boolean => order(a, "<", b, at) < 0;
export const more = (a: Value, b: Value, at: number): boolean => order(a, ">", b, at) > 0;
export const lessOrEqual = (a: Value, b: Value, at: number): boolean => order(a, "<=", b, at) <= 0;
export const moreOrEqual = (a: Value, b: Value, at: number): boolean => order(a, ">=", b, at) >= 0;

/** The language's `==`: numbers by value whatever their types, arrays element by element, the rest deeply. */
export function equal(a: Value, b: Value): boolean {
  if (a === b) return !(typeof a === "number" && Number.isNaN(a));
  if (isNil(a) && isNil(b)) return true;
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b, -1) === 0;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((element, index) => equal(element, b[index]));
  }
  return deepEqual(a, b);
}

/** Go's reflect.DeepEqual: 1 and 1.0 differ here. */
function deepEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object") return false;
  if (a instanceof Time && b instanceof Time) return a.compare(b) === 0;
  if (a instanceof Duration && b instanceof Duration) return a.nanoseconds === b.nanoseconds;
  if (a instanceof Float && b instanceof Float) return a.value === b.value;
  if (a instanceof Version && b instanceof Version)
    return a.derived === b.derived && a.original === b.original;
  if (a instanceof Sized && b instanceof Sized) return a.type === b.type && a.value === b.value;
  if (a instanceof Bytes && b instanceof Bytes) return sameElements(a.data, b.data);
  if (Array.isArray(a) && Array.isArray(b)) return sameElements(a, b);
  if (isMap(a) && isMap(b)) {
    return (
      typeName(a) === typeName(b) &&
      mapSize(a) === mapSize(b) &&
      mapEntries(a).every(([key, value]) => mapHas(b, key) && deepEqual(value, entry(b, key)))
    );
  }
  if (a instanceof Struct && b instanceof Struct) {
    return (
      a.type === b.type && a.fields.every((field, index) => deepEqual(field.value, b.fields[index]?.value))
    );
  }
  return false;
}

function sameElements(a: readonly Value[], b: readonly Value[]): boolean {
  return a.length === b.length && a.every((element, index) => deepEqual(element, b[index]));
}

function entry(map: Value, key: Value): Value {
  if (map instanceof AnyMap) return map.get(key);
  return (map instanceof TypedMap ? map.entries : (map as Record<string, Value>))[key as string];
}

// Membership and text

export function isIn(needle: Value, haystack: Value, at: number): boolean {
  if (haystack === null) return false;
  if (Array.isArray(haystack)) return haystack.some((element) => equal(element, needle));
  if (haystack instanceof Bytes) return haystack.data.some((byte) => equal(byte, needle));
  if (isPlainMap(haystack) && typeof needle === "string") return Object.hasOwn(haystack, needle);
  if (isMap(haystack))
    return mapHas(haystack, needle === null && !(haystack instanceof AnyMap) ? "" : needle, at);
  if (haystack instanceof Struct || haystack instanceof Time) {
    if (typeof needle !== "string") {
      return fail(`cannot use ${typeName(needle)} as field name of ${typeName(haystack)}`, at);
    }
    return haystack instanceof Struct && haystack.fields.some((field) => field.name === needle);
  }
  return fail(`operator "in" not defined on ${typeName(haystack)}`, at);
}

/** `in` with an array of literals: a set of one type, which takes nothing else. */
export function isInSet(needle: Value, set: ReadonlySet<Value>, of: "int" | "string", at: number): boolean {
  if (needle === null) return set.has(of === "int" ? 0 : "");
  const fits = of === "int" ? isInt(needle) : typeof needle === "string";
  if (fits) return set.has(needle);
  return fail(
    `reflect.Value.MapIndex: value of type ${typeName(needle)} is not assignable to type ${of}`,
    at,
  );
}

function texts(a: Value, b: Value, at: number): [string, string] | undefined {
  if (a === null || b === null) return undefined;
  return [text(a, at), text(b, at)];
}

export function contains(a: Value, b: Value, at: number): boolean {
  const pair = texts(a, b, at);
  return pair?.[0].includes(pair[1]) ?? false;
}

export function startsWith(a: Value, b: Value, at: number): boolean {
  const pair = texts(a, b, at);
  return pair?.[0].startsWith(pair[1]) ?? false;
}

export function endsWith(a: Value, b: Value, at: number): boolean {
  const pair = texts(a, b, at);
  return pair?.[0].endsWith(pair[1]) ?? false;
}

export function matches(a: Value, b: Value, at: number): boolean {
  if (a === null || b === null) return false;
  const pattern = text(b, at);
  if (a instanceof Bytes) return matchesPattern(pattern, decodeUtf8(a.data), at);
  return matchesPattern(pattern, text(a, at), at);
}
