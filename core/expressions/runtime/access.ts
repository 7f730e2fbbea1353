import { toInt } from "./conversions.ts";
import { mapGet } from "./maps.ts";
import { methodOf } from "./methods.ts";
import { print } from "./print.ts";
import { byteLength, byteSlice, encodeUtf8 } from "./text.ts";
import { Time } from "./time.ts";
import {
  Bytes,
  Callable,
  fail,
  isInt,
  isMap,
  isPlainMap,
  nilArray,
  Sized,
  Struct,
  typeName,
  type Value,
} from "./values.ts";

/** `object[key]` and `object.key`. */
export function fetch(object: Value, key: Value, at: number): Value {
  // In the sandbox no plain object has a constructor: its prototype is bare, so that this is all it takes.
  if (
    typeof object === "object" &&
    object !== null &&
    typeof key === "string" &&
    object.constructor === undefined
  ) {
    return (object as Record<string, Value>)[key] ?? null;
  }
  if (isPlainMap(object) && typeof key === "string") return Object.hasOwn(object, key) ? object[key] : null;
  if (object === null) return fail(`cannot fetch ${print(key)} from <nil>`, at);
  if (typeof key === "string") {
    const method = methodOf(object, key);
    if (method) return method;
  }
  if (isMap(object)) return mapGet(object, key, at);
  if (isIndexed(object)) {
    const length = lengthOf(object);
    const index = position(key, length, at);
    if (index < 0 || index >= length) {
      return fail(`index out of range: ${index} (array length is ${length})`, at);
    }
    return element(object, index);
  }
  if (object instanceof Struct && typeof key === "string") {
    const field = object.fields.find(({ name }) => name === key);
    if (field) return field.value;
  }
  return fail(`cannot fetch ${print(key)} from ${typeName(object)}`, at);
}

/** The built-in `get`: like fetch, but nil where there is nothing. */
export function get(object: Value, key: Value, at: number): Value {
  if (object === null) return null;
  if (typeof key === "string") {
    const method = methodOf(object, key);
    if (method) return method;
  }
  if (isMap(object)) return mapGet(object, key, at);
  if (isIndexed(object)) {
    const length = lengthOf(object);
    const index = position(key, length, at);
    return index >= 0 && index < length ? element(object, index) : null;
  }
  if (object instanceof Struct || object instanceof Time) {
    if (typeof key !== "string") {
      return fail(`interface conversion: interface {} is ${typeName(key)}, not string`, at);
    }
    if (object instanceof Time) return null;
    return object.fields.find(({ name }) => name === key)?.value ?? null;
  }
  return null;
}

/** `object[start:end]`; -1 is the last element, and what lies outside is cut off. */
export function slice(object: Value, start: Value, end: Value, at: number): Value {
  if (object === nilArray) return nilArray;
  if (!isIndexed(object)) return fail(`cannot slice ${print(start)}`, at);
  const length = lengthOf(object);
  const bound = (value: Value) => Math.max(0, position(value, length, at));
  const to = Math.min(bound(end), length);
  const from = Math.min(bound(start), to);
  if (typeof object === "string") return byteSlice(object, from, to);
  return object instanceof Bytes ? new Bytes(object.data.slice(from, to)) : object.slice(from, to);
}

/** Where a slice without an end stops. */
export function sliceEnd(object: Value, at: number): number {
  if (isIndexed(object)) return lengthOf(object);
  if (isMap(object)) return 0;
  return fail(`invalid argument for len (type ${typeName(object)})`, at);
}

/** Calls a function that was reached through a value, such as a method. */
export function callValue(callee: Value, args: Value[], at: number): Value {
  if (callee instanceof Callable) return callee.call(args, at);
  if (callee === null) return fail("invalid operation: cannot call nil", at);
  return fail(`invalid operation: cannot call non-function of type ${typeName(callee)}`, at);
}

type Indexed = string | readonly Value[] | Bytes;

function isIndexed(value: Value): value is Indexed {
  return typeof value === "string" || Array.isArray(value) || value instanceof Bytes;
}

function lengthOf(value: Indexed): number {
  if (typeof value === "string") return byteLength(value);
  return value instanceof Bytes ? value.data.length : value.length;
}

function element(value: Indexed, index: number): Value {
  if (typeof value === "string") return new Sized("uint8", encodeUtf8(value)[index] as number);
  return value instanceof Bytes ? new Sized("uint8", value.data[index] as number) : value[index];
}

function position(key: Value, length: number, at: number): number {
  const index = isInt(key) ? Number(key) : Number(toInt(key, at));
  return index < 0 ? length + index : index;
}
