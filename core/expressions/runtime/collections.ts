import { fetch } from "./access.ts";
import { spend } from "./budget.ts";
import { toInt } from "./conversions.ts";
import { Duration } from "./duration.ts";
import { mapEntries, mapSize } from "./maps.ts";
import { equal } from "./operators.ts";
import { sortValues } from "./predicates.ts";
import { characters } from "./text.ts";
import {
  AnyMap,
  Bytes,
  Failure,
  fail,
  isInt,
  isMap,
  isUint,
  nilArray,
  Sized,
  Struct,
  typeName,
  type Value,
} from "./values.ts";

export function len(value: Value, at: number): number {
  if (typeof value === "string") return characters(value).length;
  if (Array.isArray(value)) return value.length;
  if (value instanceof Bytes) return value.data.length;
  if (isMap(value)) return mapSize(value);
  return fail(`invalid argument for len (type ${typeName(value)})`, at);
}

export function first(value: Value): Value {
  return elementOrNil(value, 0);
}

export function last(value: Value): Value {
  return elementOrNil(value, -1);
}

function elementOrNil(value: Value, index: number): Value {
  try {
    return fetch(value, index, -1);
  } catch (error) {
    if (error instanceof Failure) return null;
    throw error;
  }
}

export function take(value: Value, count: Value, at: number): Value {
  const source = array(value, "cannot take from", at);
  if (count instanceof Duration) return take(value, count.nanoseconds, at);
  if (!isInt(count)) return fail(`cannot take ${kindOf(count)} elements`, at);
  if (count < 0) return fail("reflect.Value.Slice: slice index out of bounds", at);
  return source.slice(0, Number(count));
}

export function keys(value: Value, at: number): Value {
  return map(value, "cannot get keys from", "", at).map(([key]) => key);
}

export function values(value: Value, at: number): Value {
  return map(value, "cannot get values from", "", at).map(([, entry]) => entry);
}

export function toPairs(value: Value, at: number): Value {
  return map(value, "cannot transform", " to pairs", at).map(([key, entry]) => [key, entry]);
}

export function fromPairs(value: Value, at: number): Value {
  const result = new AnyMap();
  for (const pair of array(value, "cannot transform", at, " from pairs")) {
    if (!Array.isArray(pair)) return fail(`invalid pair ${typeName(pair)}`, at);
    if (pair.length !== 2) return fail(`invalid pair length ${pair.length}`, at);
    result.set(pair[0], pair[1]);
  }
  return result;
}

export function reverse(value: Value, at: number): Value {
  const source = array(value, "cannot reverse", at);
  spend(source.length, at);
  return [...source].reverse();
}

export function uniq(value: Value, at: number): Value {
  const kept: Value[] = [];
  const simple = new Set<Value>();
  for (const element of array(value, "cannot uniq", at)) {
    // Strings equal nothing but themselves, which saves comparing them with everything.
    if (typeof element === "string" ? simple.has(element) : kept.some((other) => equal(element, other)))
      continue;
    simple.add(element);
    kept.push(element);
  }
  return kept;
}

export function concat(args: readonly Value[], at: number): Value {
  const parts = args.map((arg) => array(arg, "cannot concat", at));
  spend(
    parts.reduce((total, part) => total + part.length, 0),
    at,
  );
  const joined = parts.flat(1);
  return joined.length === 0 ? nilArray : joined;
}

export function flatten(value: Value, at: number): Value {
  const result: Value[] = [];
  collect(array(value, "cannot flatten", at), result, 0, at);
  spend(result.length, at);
  return result;
}

function collect(source: readonly Value[], into: Value[], depth: number, at: number): void {
  if (depth > 10_000) fail("recursion depth exceeded", at);
  for (const element of source) {
    if (Array.isArray(element)) collect(element, into, depth + 1, at);
    else into.push(element);
  }
}

export function sort(value: Value, direction: Value | undefined, at: number): Value {
  if (direction !== undefined) {
    if (typeof direction !== "string") {
      return fail(`sort order argument must be a string (got ${typeName(direction)})`, at);
    }
    if (direction !== "asc" && direction !== "desc") {
      return fail(`invalid order ${direction}, expected asc or desc`, at);
    }
  }
  // What is no array sorts to nothing at all, as it does in Go.
  if (!Array.isArray(value)) return nilArray;
  const source = value;
  spend(source.length, at);
  return sortValues(source, (element) => element, direction ?? "asc", at);
}

export function range(from: Value, to: Value, at: number): Value {
  const [start, end] = [toInt(from, at), toInt(to, at)];
  const size = Number(BigInt(end) - BigInt(start)) + 1;
  if (size <= 0) return [];
  spend(size, at);
  const numbers: Value[] = [];
  for (let index = 0; index < size; index++) {
    numbers.push(typeof start === "number" ? start + index : start + BigInt(index));
  }
  return numbers;
}

function array(value: Value, refusal: string, at: number, end = ""): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Bytes) return value.data.map((byte) => new Sized("uint8", byte));
  return fail(`${refusal} ${kindOf(value)}${end}`, at);
}

function map(value: Value, refusal: string, end: string, at: number): [Value, Value][] {
  return isMap(value) ? mapEntries(value) : fail(`${refusal} ${kindOf(value)}${end}`, at);
}

/** Go's word for the kind of thing a value is. */
function kindOf(value: Value): string {
  if (value === null) return "invalid";
  if (isMap(value)) return "map";
  if (Array.isArray(value) || value instanceof Bytes) return "slice";
  if (value instanceof Struct) return "struct";
  return isUint(value) ? value.type : typeName(value);
}
