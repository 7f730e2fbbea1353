import { text } from "./conversions.ts";
import { host } from "./host.ts";
import { Time } from "./time.ts";
import { parseTime } from "./time-parse.ts";
import { fail, type Value } from "./values.ts";
import { clockAt, Location, type Zone } from "./zone.ts";

export function now(zone: Value): Time {
  return new Time(BigInt(host.now()), zone instanceof Location ? zone.zone : "Local");
}

export function timezone(name: string, at: number): Location {
  if (name === "") return new Location("UTC");
  if (name.startsWith("=") || !clockAt(name, 0)) return fail(`unknown time zone ${name}`, at);
  return new Location(name);
}

const defaultLayouts = [
  "2006-01-02",
  "15:04:05",
  "2006-01-02 15:04:05",
  "2006-01-02T15:04:05Z07:00",
  "02 Jan 06 15:04 MST",
  "Monday, 02-Jan-06 15:04:05 MST",
  "Mon, 02 Jan 2006 15:04:05 MST",
];

/** `date([zone,] text [, layout [, zone name]])`. */
export function date(all: Value[], at: number): Time {
  const zone = all[0] instanceof Location ? all[0].zone : undefined;
  const args = zone === undefined ? all : all.slice(1);
  if (args.length === 0) return fail("runtime error: index out of range [0] with length 0", at);
  const source = text(args[0], at);
  if (args.length === 1) return parseAny(source, zone, at);
  const layout = text(args[1], at);
  if (args.length === 2) return parsed(layout, source, zone, at);
  const name = text(args[2], at);
  if (name !== "" && !clockAt(name, 0)) return fail(`unknown time zone ${name}`, at);
  return parsed(layout, source, name === "" ? "UTC" : name, at);
}

function parsed(layout: string, source: string, zone: Zone | undefined, at: number): Time {
  const result = parseTime(layout, source, zone);
  return typeof result === "string" ? fail(result, at) : result;
}

function parseAny(source: string, zone: Zone | undefined, at: number): Time {
  for (const layout of defaultLayouts) {
    const result = parseTime(layout, source, zone);
    if (typeof result !== "string") return result;
  }
  return fail(`invalid date ${source}`, at);
}
