/**
 * The values of an expression while it runs, inside of the sandbox.
 *
 *   nil      null
 *   bool     boolean
 *   int      a number that is a safe integer, and a bigint beyond those (64 bits)
 *   float    any other number, and a Float where the value would look like an int
 *   string   string; bytes that are no UTF-8 are U+DC80 … U+DCFF, as they are in Python's surrogateescape
 *   array    array
 *   map      an object without regard to its prototype; an AnyMap for keys that are no strings; a TypedMap
 *            where a missing key gives something else than nil
 *
 * So that values parsed from JSON are values as they are. The rest are the classes below.
 */
export type Value = unknown;

/** A float whose value is an integer: 5.0 is not 5. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** An integer of a Go type that is not int: it computes as an int but keeps its name. */
export class Sized {
  readonly type: string;
  readonly value: number;
  /** What prints instead of the number, for types with names for their values. */
  readonly label: string | undefined;
  constructor(type: string, value: number, label?: string) {
    this.type = type;
    this.value = value;
    this.label = label;
  }
}

export class Bytes {
  readonly data: readonly number[];
  constructor(data: readonly number[]) {
    this.data = data;
  }
}

/** A map whose keys may be anything that compares: what groupBy and fromPairs give. */
export class AnyMap {
  /** What stands for a missing key. */
  readonly zero: Value;
  private readonly entriesByKey = new Map<string, [Value, Value]>();

  constructor(zero: Value = null) {
    this.zero = zero;
  }

  get size(): number {
    return this.entriesByKey.size;
  }

  /** Undefined where there is none. Keys that Go cannot hash fail. */
  get(key: Value): Value {
    return this.entriesByKey.get(keyOf(key))?.[1];
  }

  has(key: Value): boolean {
    return this.entriesByKey.has(keyOf(key));
  }

  set(key: Value, value: Value): void {
    this.entriesByKey.set(keyOf(key), [key, value]);
  }

  entries(): [Value, Value][] {
    return [...this.entriesByKey.values()];
  }
}

/** A map of strings to values of one Go type, whose zero value stands for what is missing. */
export class TypedMap {
  readonly type: string;
  readonly zero: Value;
  readonly entries: Readonly<Record<string, Value>>;
  constructor(type: string, zero: Value, entries: Readonly<Record<string, Value>>) {
    this.type = type;
    this.zero = zero;
    this.entries = entries;
  }
}

/** A slice that Go has not even made: it is empty, equals nil and is null in JSON. */
export const nilArray: readonly Value[] = Object.freeze([]);

export function isNil(value: Value): boolean {
  return value === null || value === nilArray;
}

export interface Field {
  readonly name: string;
  readonly json: string;
  readonly value: Value;
  readonly omitEmpty: boolean;
}

/** A Go struct: fields by their Go names, and the names that JSON has for them. */
export class Struct {
  readonly type: string;
  readonly fields: readonly Field[];
  constructor(type: string, fields: readonly Field[]) {
    this.type = type;
    this.fields = fields;
  }
}

/** A function as a value: a method taken off its object, or a host function. */
export class Callable {
  readonly name: string;
  readonly call: (args: Value[], at: number) => Value;
  constructor(name: string, call: (args: Value[], at: number) => Value) {
    this.name = name;
    this.call = call;
  }
}

/** What goes wrong in an expression. `at` is the node it went wrong in, -1 while that is not known. */
export class Failure extends Error {
  at: number;
  constructor(reason: string, at = -1) {
    super(reason);
    this.at = at;
  }
}

export function fail(reason: string, at = -1): never {
  throw new Failure(reason, at);
}

export function isInt(value: Value): value is number | bigint {
  return typeof value === "number" ? Number.isSafeInteger(value) : typeof value === "bigint";
}

export function isFloat(value: Value): value is number | Float {
  return typeof value === "number" ? !Number.isSafeInteger(value) : value instanceof Float;
}

export function isNumber(value: Value): boolean {
  return typeof value === "number" || typeof value === "bigint" || value instanceof Float || isUint(value);
}

/** Integers that arithmetic takes; the named ones, like months, it does not. */
export function isUint(value: Value): value is Sized {
  return value instanceof Sized && value.label === undefined;
}

export function isPlainMap(value: Value): value is Record<string, Value> {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

export function isMap(value: Value): value is Record<string, Value> | AnyMap | TypedMap {
  return isPlainMap(value) || value instanceof AnyMap || value instanceof TypedMap;
}

/** The float that a number is; wrapped where it would pass for an int. */
export function float(value: number): number | Float {
  return Number.isSafeInteger(value) ? new Float(value) : value;
}

/** The int of 64 bits that is left of a bigint, as Go wraps around. */
export function wrap(value: bigint): number | bigint {
  const wrapped = BigInt.asIntN(64, value);
  const small = Number(wrapped);
  return Number.isSafeInteger(small) ? small : wrapped;
}

/** Tells keys of different types apart: 1, 1.0, "1" and true are four keys. */
function keyOf(key: Value): string {
  if (key === null) return "nil";
  if (typeof key === "string") return `s${key}`;
  if (isInt(key)) return `i${key}`;
  if (key instanceof Float) return `f${key.value}`;
  if (key instanceof Sized) return `${key.type} ${key.value}`;
  if (Array.isArray(key) || key instanceof Bytes || isMap(key)) {
    return fail(`runtime error: hash of unhashable type ${typeName(key)}`);
  }
  if (typeof key === "object" && "key" in key && typeof key.key === "string") return key.key;
  return `${typeof key} ${String(key)}`;
}

/** Go's name for the type of a value, as its errors print it. */
export function typeName(value: Value): string {
  if (value === null || value === undefined) return "<nil>";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "string") return "string";
  if (isInt(value)) return "int";
  if (isFloat(value)) return "float64";
  if (Array.isArray(value)) return "[]interface {}";
  if (value instanceof Bytes) return "[]uint8";
  if (value instanceof AnyMap) return "map[interface {}]interface {}";
  if (value instanceof Callable) return "func(...interface {}) (interface {}, error)";
  if (isPlainMap(value)) return "map[string]interface {}";
  // All other classes know their types.
  return (value as { type: string }).type;
}
