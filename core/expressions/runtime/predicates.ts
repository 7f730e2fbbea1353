import { spend } from "./budget.ts";
import { mapSize } from "./maps.ts";
import { add, bool, less } from "./operators.ts";
import { encodeUtf8 } from "./text.ts";
import { AnyMap, Bytes, fail, isMap, nilArray, Sized, Struct, typeName, type Value } from "./values.ts";

/** The body of a predicate: the element, its index and, for reduce, what there is so far. */
export type Body = (element: Value, index: number, accumulated: Value) => Value;

/**
 * What a predicate runs over. Maps and strings have elements to count: those of a string are its bytes,
 * while looking at one of a map fails, which is why they are undefined here and not nil.
 */
function elements(value: Value, at: number): readonly Value[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Bytes) return value.data.map((byte) => new Sized("uint8", byte));
  if (typeof value === "string") return encodeUtf8(value).map((byte) => new Sized("uint8", byte));
  if (isMap(value)) return Array(mapSize(value)).fill(undefined);
  const kind = value === null ? "zero" : value instanceof Struct ? "struct" : typeName(value);
  return fail(`reflect: call of reflect.Value.Len on ${kind} Value`, at);
}

function existing(element: Value, at: number): Value {
  return element === undefined ? fail("reflect: call of reflect.Value.Index on map Value", at) : element;
}

export function all(array: Value, body: Body, at: number): Value {
  return elements(array, at).every((element, index) => bool(body(element, index, null), at));
}

export function none(array: Value, body: Body, at: number): Value {
  return elements(array, at).every((element, index) => !bool(body(element, index, null), at));
}

export function any(array: Value, body: Body, at: number): Value {
  return elements(array, at).some((element, index) => bool(body(element, index, null), at));
}

export function one(array: Value, body: Body, at: number): Value {
  return elements(array, at).filter((element, index) => bool(body(element, index, null), at)).length === 1;
}

export function filter(array: Value, body: Body, mapped: Body | null, at: number): Value {
  const kept: Value[] = [];
  elements(array, at).forEach((element, index) => {
    if (bool(body(element, index, null), at))
      kept.push(mapped ? mapped(element, index, null) : existing(element, at));
  });
  spend(kept.length, at);
  return kept;
}

export function map(array: Value, body: Body, at: number): Value {
  const source = elements(array, at);
  spend(source.length, at);
  return source.map((element, index) => body(element, index, null));
}

export function count(array: Value, body: Body, threshold: number | null, at: number): Value {
  const source = elements(array, at);
  let found = 0;
  for (let index = 0; index < source.length; index++) {
    if (bool(body(source[index], index, null), at)) found++;
    if (threshold !== null && found >= threshold) break;
  }
  return found;
}

export function sum(array: Value, body: Body, at: number): Value {
  return elements(array, at).reduce<Value>(
    (total, element, index) => add(body(element, index, null), total, at),
    0,
  );
}

export function find(array: Value, body: Body, mapped: Body | null, throws: boolean, at: number): Value {
  const source = elements(array, at);
  const index = source.findIndex((element, i) => bool(body(element, i, null), at));
  return found(source, index, mapped, throws, at);
}

export function findLast(array: Value, body: Body, mapped: Body | null, throws: boolean, at: number): Value {
  const source = elements(array, at);
  const index = source.findLastIndex((element, i) => bool(body(element, i, null), at));
  return found(source, index, mapped, throws, at);
}

function found(
  source: readonly Value[],
  index: number,
  mapped: Body | null,
  throws: boolean,
  at: number,
): Value {
  if (index >= 0) return mapped ? mapped(source[index], index, null) : existing(source[index], at);
  return throws ? fail("reflect: slice index out of range", at) : null;
}

export function findIndex(array: Value, body: Body, at: number): Value {
  const index = elements(array, at).findIndex((element, i) => bool(body(element, i, null), at));
  return index < 0 ? null : index;
}

export function findLastIndex(array: Value, body: Body, at: number): Value {
  const index = elements(array, at).findLastIndex((element, i) => bool(body(element, i, null), at));
  return index < 0 ? null : index;
}

export function groupBy(array: Value, body: Body, at: number): Value {
  const groups = new AnyMap(nilArray);
  elements(array, at).forEach((element, index) => {
    const key = body(element, index, null);
    if (Array.isArray(key) || isMap(key) || key instanceof Bytes) {
      fail(`cannot use ${typeName(key)} as a key for groupBy: type is not comparable`, at);
    }
    const group = groups.get(key);
    if (Array.isArray(group)) group.push(existing(element, at));
    else groups.set(key, [existing(element, at)]);
  });
  return groups;
}

export function sortBy(array: Value, body: Body, direction: Value, at: number): Value {
  const source = elements(array, at);
  if (typeof direction !== "string") return fail("sortBy order argument must be a string", at);
  if (direction !== "asc" && direction !== "desc") return fail("unknown order, use asc or desc", at);
  spend(source.length, at);
  const keyed = source.map((element, index) => ({
    element: existing(element, at),
    key: body(element, index, null),
  }));
  return sortValues(keyed, ({ key }) => key, direction, at).map(({ element }) => element);
}

/** A sorted copy; what does not compare fails. */
export function sortValues<T>(
  items: readonly T[],
  key: (item: T) => Value,
  direction: string,
  at: number,
): T[] {
  const sign = direction === "desc" ? -1 : 1;
  // The engine does not ask about elements that are the same, though they may be none that compare.
  const [one] = items;
  if (one !== undefined && items.length > 1) less(key(one), key(one), at);
  return [...items].sort((a, b) => {
    const [x, y] = [key(a), key(b)];
    return less(x, y, at) ? -sign : less(y, x, at) ? sign : 0;
  });
}

export function reduce(array: Value, body: Body, initial: { value: Value } | null, at: number): Value {
  const source = elements(array, at);
  if (initial === null && source.length === 0) {
    return fail("reduce of empty array with no initial value", at);
  }
  let accumulated = initial === null ? existing(source[0], at) : initial.value;
  for (let index = initial === null ? 1 : 0; index < source.length; index++) {
    accumulated = body(source[index], index, accumulated);
  }
  return accumulated;
}
