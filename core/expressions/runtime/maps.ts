import { compareStrings } from "./text.ts";
import { AnyMap, Float, fail, isInt, TypedMap, typeName, type Value } from "./values.ts";

type AnyKindOfMap = Record<string, Value> | AnyMap | TypedMap;

/** The value under a key; what Go gives for a missing one: nil, or the zero value of the map's type. */
export function mapGet(map: AnyKindOfMap, key: Value, at = -1): Value {
  if (map instanceof AnyMap) return map.has(key) ? map.get(key) : map.zero;
  const name = stringKey(key, at);
  if (map instanceof TypedMap) return Object.hasOwn(map.entries, name) ? map.entries[name] : map.zero;
  return Object.hasOwn(map, name) ? map[name] : null;
}

export function mapHas(map: AnyKindOfMap, key: Value, at = -1): boolean {
  if (map instanceof AnyMap) return map.has(key);
  return Object.hasOwn(map instanceof TypedMap ? map.entries : map, stringKey(key, at));
}

export function mapSize(map: AnyKindOfMap): number {
  if (map instanceof AnyMap) return map.size;
  return Object.keys(map instanceof TypedMap ? map.entries : map).length;
}

/** Pairs of key and value, ordered by key: Go promises no order, and so a steady one serves best. */
export function mapEntries(map: AnyKindOfMap): [Value, Value][] {
  if (map instanceof AnyMap) return map.entries().sort(([a], [b]) => compareKeys(a, b));
  const entries = map instanceof TypedMap ? map.entries : map;
  return Object.keys(entries)
    .sort(compareStrings)
    .map((key) => [key, entries[key]]);
}

/** An empty map[string]any. */
export function newMap(): Record<string, Value> {
  return Object.create(null);
}

function stringKey(key: Value, at: number): string {
  if (typeof key === "string") return key;
  if (key === null) return "";
  return fail(`reflect.Value.MapIndex: value of type ${typeName(key)} is not assignable to type string`, at);
}

/** Nil first, then numbers, then strings, then the rest, as Go's fmt prints mixed keys. */
function compareKeys(a: Value, b: Value): number {
  const rank = (key: Value) =>
    key === null
      ? 0
      : isInt(key)
        ? 1
        : typeof key === "number" || key instanceof Float
          ? 2
          : typeof key === "string"
            ? 3
            : 4;
  const difference = rank(a) - rank(b);
  if (difference !== 0) return difference;
  if (typeof a === "string" && typeof b === "string") return compareStrings(a, b);
  return Number(a) < Number(b) ? -1 : 1;
}
