import { toFloat, toInt, truncate } from "./conversions.ts";
import { Duration } from "./duration.ts";
import { less, more } from "./operators.ts";
import {
  Bytes,
  Float,
  fail,
  float,
  isFloat,
  isInt,
  isNumber,
  isUint,
  Sized,
  typeName,
  type Value,
  wrap,
} from "./values.ts";

/** Nesting that Go's own functions allow. */
const maxDepth = 10_000;

export function abs(value: Value, at: number): Value {
  if (value instanceof Float) return new Float(Math.abs(value.value));
  if (isUint(value)) return value;
  if (typeof value === "number") return Math.abs(value);
  if (typeof value === "bigint") return wrap(value < 0n ? -value : value);
  return fail(`invalid argument for abs (type ${typeName(value)})`, at);
}

const rounding = (name: string, round: (value: number) => number) => (value: Value, at: number) =>
  isNumber(value)
    ? float(round(toFloat(value, at)))
    : fail(`invalid argument for ${name} (type ${typeName(value)})`, at);

export const ceil = rounding("ceil", Math.ceil);
export const floor = rounding("floor", Math.floor);
/** Halves go away from zero. */
export const round = rounding("round", (value) => {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
});

export function int(value: Value, at: number): Value {
  if (isInt(value)) return value;
  if (isFloat(value)) return truncate(value instanceof Float ? value.value : value);
  if (value instanceof Sized) return value.value;
  if (typeof value === "object" && value !== null && "nanoseconds" in value) return value.nanoseconds;
  if (typeof value !== "string") return fail(`invalid operation: int(${typeName(value)})`, at);
  if (!/^[+-]?\d+$/.test(value)) return fail(`invalid operation: int(${value})`, at);
  const parsed = BigInt(value.replace("+", ""));
  if (BigInt.asIntN(64, parsed) !== parsed) return fail(`invalid operation: int(${value})`, at);
  return wrap(parsed);
}

export function toFloatValue(value: Value, at: number): Value {
  if (isNumber(value)) return float(toFloat(value, at));
  if (typeof value !== "string") return fail(`invalid operation: float(${typeName(value)})`, at);
  const parsed = parseFloat64(value);
  return parsed === undefined ? fail(`invalid operation: float(${value})`, at) : float(parsed);
}

/** What Go's strconv.ParseFloat reads; undefined for what it refuses. */
export function parseFloat64(source: string): number | undefined {
  // Underscores may stand between digits, and after the 0x of a hexadecimal number.
  const text = /^[+-]?(?:0x_?)?[\da-f]+(?:_[\da-f]+)*/i.test(source) ? withoutUnderscores(source) : source;
  if (/^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const special = /^([+-]?)(?:(inf|infinity)|(nan))$/i.exec(text);
  if (special) {
    if (special[3]) return special[1] ? undefined : Number.NaN;
    return special[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const hex = /^([+-]?)0x([\da-f]*)\.?([\da-f]*)p([+-]?\d+)$/i.exec(text);
  if (!hex || (hex[2] === "" && hex[3] === "")) return undefined;
  return parseHexFloat(hex[1] === "-", hex[2] ?? "", hex[3] ?? "", Number(hex[4]));
}

function withoutUnderscores(source: string): string {
  const digits = /^[+-]?0x/i.test(source) ? "\\da-f" : "\\d";
  const misplaced = new RegExp(`__|_$|_[^${digits}]|[^${digits}x]_|^[+-]?_`, "i").test(source);
  return misplaced ? source : source.replaceAll("_", "");
}

function parseHexFloat(
  negative: boolean,
  whole: string,
  fraction: string,
  exponent: number,
): number | undefined {
  const digits = BigInt(`0x0${whole}${fraction}`);
  const value = Number(digits) * 2 ** (exponent - 4 * fraction.length);
  if (!Number.isFinite(value)) return undefined;
  return negative ? -value : value;
}

/** The extreme of numbers and of arrays of them, however nested; outside of arrays, of durations too. */
export function extreme(name: "max" | "min", args: readonly Value[], at: number): Value {
  const better = name === "max" ? more : less;
  const [only] = args;
  if (args.length === 1 && elementsOf(only) === undefined && !isNumber(only)) return only;
  let best: Value = null;
  for (const arg of args) {
    for (const value of arg instanceof Duration ? [arg] : numbersIn(name, [arg], 0, at)) {
      if (best === null || better(value, best, at)) best = value;
    }
  }
  return best;
}

function elementsOf(value: Value): readonly Value[] | undefined {
  if (value instanceof Bytes) return value.data.map((byte) => new Sized("uint8", byte));
  return Array.isArray(value) ? value : undefined;
}

function numbersIn(name: string, values: readonly Value[], depth: number, at: number): Value[] {
  if (depth > maxDepth) return fail("recursion depth exceeded", at);
  return values.flatMap((value) => {
    const elements = elementsOf(value);
    if (elements) return numbersIn(name, elements, depth + 1, at);
    if (isNumber(value)) return [value];
    // What has no arithmetic of its own still counts as the number that Go keeps it in.
    if ((name === "mean" || name === "median") && value instanceof Duration) return [value.nanoseconds];
    return fail(`invalid argument for ${name} (type ${typeName(value)})`, at);
  });
}

export function mean(args: readonly Value[], at: number): Value {
  const numbers = numbersIn("mean", args, 0, at);
  const total = numbers.reduce<number>((sum, value) => sum + toFloat(value, at), 0);
  return float(numbers.length === 0 ? 0 : total / numbers.length);
}

export function median(args: readonly Value[], at: number): Value {
  const numbers = numbersIn("median", args, 0, at)
    .map((value) => toFloat(value, at))
    .sort((a, b) => a - b);
  const middle = numbers.length >> 1;
  const upper = numbers[middle] ?? 0;
  return float(numbers.length % 2 === 1 ? upper : ((numbers[middle - 1] ?? 0) + upper) / 2);
}

const bitOperations: Readonly<Record<string, (x: bigint, y: bigint) => bigint>> = {
  bitand: (x, y) => x & y,
  bitor: (x, y) => x | y,
  bitxor: (x, y) => x ^ y,
  bitnand: (x, y) => x & ~y,
  bitshl: (x, y) => (y > 63n ? 0n : x << y),
  bitshr: (x, y) => x >> (y > 63n ? 63n : y),
  // Masked by hand: QuickJS leaves negative numbers as they are in BigInt.asUintN(64).
  bitushr: (x, y) => (y > 63n ? 0n : (x & 0xffff_ffff_ffff_ffffn) >> y),
};

export function bits(name: string, a: Value, b: Value, at: number): Value {
  const [x, y] = [bitOperand(name, a, at), bitOperand(name, b, at)];
  if (name.startsWith("bits") || name === "bitushr") {
    if (y < 0n) return fail(`invalid operation: negative shift count ${y} (type int)`, at);
  }
  return wrap((bitOperations[name] as (x: bigint, y: bigint) => bigint)(x, y));
}

export function bitnot(value: Value, at: number): Value {
  return wrap(~bitOperand("bitnot", value, at));
}

function bitOperand(name: string, value: Value, at: number): bigint {
  if (isInt(value) || isUint(value)) return BigInt(toInt(value, at));
  return fail(`cannot use ${typeName(value)} as argument (type int) to call ${name}`, at);
}
