import { get } from "./access.ts";
import * as collections from "./collections.ts";
import { text } from "./conversions.ts";
import { date, now, timezone } from "./dates.ts";
import { type Duration, parseDuration } from "./duration.ts";
import { fromJson, toIndentedJson } from "./json.ts";
import * as numeric from "./numeric.ts";
import { print } from "./print.ts";
import * as strings from "./strings.ts";
import { typeOf } from "./types.ts";
import type { Value } from "./values.ts";

type Builtin = (args: Value[], at: number) => Value;

const bitFunctions = ["bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr"];

/** The built-in functions that take no predicate. The checker has seen to the number of arguments. */
export const builtins: Readonly<Record<string, Builtin>> = {
  len: ([value], at) => collections.len(value, at),
  type: ([value]) => typeOf(value),
  abs: ([value], at) => numeric.abs(value, at),
  ceil: ([value], at) => numeric.ceil(value, at),
  floor: ([value], at) => numeric.floor(value, at),
  round: ([value], at) => numeric.round(value, at),
  int: ([value], at) => numeric.int(value, at),
  float: ([value], at) => numeric.toFloatValue(value, at),
  string: ([value]) => print(value),

  trim: ([value, cutset], at) => strings.trim(value, cutset, at),
  trimPrefix: ([value, prefix], at) => strings.trimPrefix(value, prefix, at),
  trimSuffix: ([value, suffix], at) => strings.trimSuffix(value, suffix, at),
  upper: ([value], at) => strings.upper(value, at),
  lower: ([value], at) => strings.lower(value, at),
  split: ([value, separator, limit], at) => strings.split(value, separator, limit, at),
  splitAfter: ([value, separator, limit], at) => strings.splitAfter(value, separator, limit, at),
  replace: ([value, old, by, limit], at) => strings.replace(value, old, by, limit, at),
  repeat: ([value, times], at) => strings.repeat(value, times, at),
  join: ([value, glue], at) => strings.join(value, glue, at),
  indexOf: ([value, part], at) => strings.indexOf(value, part, at),
  lastIndexOf: ([value, part], at) => strings.lastIndexOf(value, part, at),
  hasPrefix: ([value, prefix], at) => strings.hasPrefix(value, prefix, at),
  hasSuffix: ([value, suffix], at) => strings.hasSuffix(value, suffix, at),
  toBase64: ([value], at) => strings.toBase64(value, at),
  fromBase64: ([value], at) => strings.fromBase64Text(value, at),

  max: (args, at) => numeric.extreme("max", args, at),
  min: (args, at) => numeric.extreme("min", args, at),
  mean: (args, at) => numeric.mean(args, at),
  median: (args, at) => numeric.median(args, at),
  bitnot: ([value], at) => numeric.bitnot(value, at),
  ...Object.fromEntries(
    bitFunctions.map((name): [string, Builtin] => [name, ([a, b], at) => numeric.bits(name, a, b, at)]),
  ),

  toJSON: ([value], at) => toIndentedJson(value, at),
  fromJSON: ([value], at) => fromJson(text(value, at), at),

  now: ([zone]) => now(zone),
  duration: ([value], at): Duration => parseDuration(text(value, at), at),
  date: (args, at) => date(args, at),
  timezone: ([name], at) => timezone(text(name, at), at),

  first: ([value]) => collections.first(value),
  last: ([value]) => collections.last(value),
  get: ([value, key], at) => get(value, key, at),
  take: ([value, count], at) => collections.take(value, count, at),
  keys: ([value], at) => collections.keys(value, at),
  values: ([value], at) => collections.values(value, at),
  toPairs: ([value], at) => collections.toPairs(value, at),
  fromPairs: ([value], at) => collections.fromPairs(value, at),
  reverse: ([value], at) => collections.reverse(value, at),
  uniq: ([value], at) => collections.uniq(value, at),
  concat: (args, at) => collections.concat(args, at),
  flatten: ([value], at) => collections.flatten(value, at),
  sort: ([value, direction], at) => collections.sort(value, direction, at),
};
