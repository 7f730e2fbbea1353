/**
 * How values cross the border of the sandbox: as JSON, in which an object with the one key `tag` stands for
 * what JSON has no word for. The tag is secret and new for each sandbox, so that no data can pass for one.
 */

import { Duration } from "./duration.ts";
import { Time, timeFromUnix } from "./time.ts";
import { AnyMap, Bytes, Callable, Float, isPlainMap, Sized, Struct, TypedMap, type Value } from "./values.ts";
import { Version } from "./version.ts";
import { Location } from "./zone.ts";

type Tagged =
  | ["float", string]
  | ["int", string]
  | ["sized", string, number, string | null]
  | ["bytes", number[]]
  | ["anymap", [unknown, unknown][]]
  | ["typedmap", string, unknown, Record<string, unknown>]
  | ["struct", string, [string, string, boolean, unknown][]]
  | ["duration", string]
  | ["time", string, string]
  | ["version", string, boolean]
  | ["location", string]
  | ["function", string]
  | ["map", [string, unknown][]];

/** What JSON.stringify writes for the other side: the value itself where JSON has words for all of it. */
export function encode(value: Value, tag: string): unknown {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (value === undefined) return null;
  if (typeof value === "bigint") return { [tag]: ["int", String(value)] };
  if (typeof value === "number") {
    return Number.isFinite(value) ? value : { [tag]: ["float", String(value)] };
  }
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const encoded = value.map((element) => encode(element, tag));
    return encoded.every((element, index) => element === value[index]) ? value : encoded;
  }
  return isPlainMap(value) ? encodeMap(value, tag) : { [tag]: special(value, tag) };
}

function encodeMap(map: Record<string, Value>, tag: string): unknown {
  let changed: Map<string, unknown> | undefined;
  for (const key of Object.keys(map)) {
    const encoded = encode(map[key], tag);
    if (encoded !== map[key]) {
      changed ??= new Map();
      changed.set(key, encoded);
    }
  }
  if (!changed) return map;
  return Object.fromEntries(
    Object.keys(map).map((key) => [key, changed.has(key) ? changed.get(key) : map[key]]),
  );
}

function special(value: object, tag: string): Tagged {
  if (value instanceof Float) return ["float", Object.is(value.value, -0) ? "-0" : String(value.value)];
  if (value instanceof Sized) return ["sized", value.type, value.value, value.label ?? null];
  if (value instanceof Bytes) return ["bytes", [...value.data]];
  if (value instanceof AnyMap) {
    return [
      "anymap",
      value.entries().map(([key, entry]): [unknown, unknown] => [encode(key, tag), encode(entry, tag)]),
    ];
  }
  if (value instanceof TypedMap) {
    const entries = encode({ ...value.entries }, tag) as Record<string, unknown>;
    return ["typedmap", value.type, encode(value.zero, tag), entries];
  }
  if (value instanceof Struct) {
    return [
      "struct",
      value.type,
      value.fields.map((field) => [field.name, field.json, field.omitEmpty, encode(field.value, tag)]),
    ];
  }
  if (value instanceof Duration) return ["duration", String(value.nanoseconds)];
  if (value instanceof Time) return ["time", String(value.unixNanoseconds), value.zone];
  if (value instanceof Version) return ["version", value.original, value.derived];
  if (value instanceof Location) return ["location", value.zone];
  if (value instanceof Callable) return ["function", value.name];
  return ["map", Object.entries(value)];
}

/** The value that `encode` was given; `callable` makes the functions among them. */
export function decode(wire: unknown, tag: string, callable: (name: string) => Callable): Value {
  if (wire === null || typeof wire !== "object") return wire;
  if (Array.isArray(wire)) return wire.map((element) => decode(element, tag, callable));
  if (Object.hasOwn(wire, tag)) {
    return revive(
      (wire as Record<string, Tagged>)[tag] as Tagged,
      (inner) => decode(inner, tag, callable),
      callable,
    );
  }
  const map: Record<string, Value> = Object.create(null);
  for (const [key, value] of Object.entries(wire)) map[key] = decode(value, tag, callable);
  return map;
}

function revive(
  tagged: Tagged,
  inner: (wire: unknown) => Value,
  callable: (name: string) => Callable,
): Value {
  switch (tagged[0]) {
    case "float": {
      const value = Number(tagged[1]);
      return Number.isSafeInteger(value) ? new Float(value) : value;
    }
    case "int":
      return BigInt(tagged[1]);
    case "sized":
      return new Sized(tagged[1], tagged[2], tagged[3] ?? undefined);
    case "bytes":
      return new Bytes(tagged[1]);
    case "anymap": {
      const map = new AnyMap();
      for (const [key, value] of tagged[1]) map.set(inner(key), inner(value));
      return map;
    }
    case "typedmap":
      return new TypedMap(tagged[1], inner(tagged[2]), inner(tagged[3]) as Record<string, Value>);
    case "struct":
      return new Struct(
        tagged[1],
        tagged[2].map(([name, json, omitEmpty, value]) => ({ name, json, omitEmpty, value: inner(value) })),
      );
    case "duration":
      return new Duration(smallest(BigInt(tagged[1])));
    case "time":
      return timeFromUnix(BigInt(tagged[1]), tagged[2]);
    case "version":
      return tagged[2] ? Version.parse(tagged[1]).derive() : Version.parse(tagged[1]);
    case "location":
      return new Location(tagged[1]);
    case "function":
      return callable(tagged[1]);
    case "map":
      return inner(Object.fromEntries(tagged[1]));
  }
}

function smallest(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}
