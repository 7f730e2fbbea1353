import { civilFromDays, dayNames, daysFromCivil, modulo, monthNames, weekdayOf } from "./civil.ts";
import { Duration } from "./duration.ts";
import { host } from "./host.ts";
import type { Methods } from "./methods.ts";
import { argument } from "./methods.ts";
import { text, toInt } from "./operators.ts";
import { formatTime } from "./time-format.ts";
import { parseTime } from "./time-parse.ts";
import { fail, Sized, type Value, wrap } from "./values.ts";
import { clockAt, Location, offsetAt, unixOf, type Zone } from "./zone.ts";

const billion = 1_000_000_000n;
/** From the first of January of the year 1 to 1970. */
const secondsBefore1970 = 62_135_596_800n;
const longest = (1n << 63n) - 1n;

/** The numbers that the clocks of a zone show. */
export interface Reading {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  readonly weekday: number;
  /** From 1. */
  readonly dayOfYear: number;
  readonly offset: number;
  readonly abbreviation: string;
}

/** Go's time.Time: a moment, and the zone that it is read in. */
export class Time {
  readonly type = "time.Time";
  readonly unixNanoseconds: bigint;
  readonly zone: Zone;
  private known: Reading | undefined;

  constructor(unixNanoseconds: bigint, zone: Zone) {
    this.unixNanoseconds = unixNanoseconds;
    this.zone = zone;
  }

  /** As a key of a map: Go compares the zone too. */
  get key(): string {
    return `time ${this.unixNanoseconds} ${this.zone}`;
  }

  get unixSeconds(): bigint {
    return floorDivide(this.unixNanoseconds, billion);
  }

  reading(): Reading {
    this.known ??= read(this);
    return this.known;
  }

  in(zone: Zone): Time {
    return new Time(this.unixNanoseconds, zone);
  }

  compare(other: Time): number {
    return this.unixNanoseconds < other.unixNanoseconds
      ? -1
      : this.unixNanoseconds > other.unixNanoseconds
        ? 1
        : 0;
  }

  add(duration: Duration): Time {
    return new Time(this.unixNanoseconds + BigInt(duration.nanoseconds), this.zone);
  }

  /** What does not fit into a duration is the longest one. */
  sub(other: Time): Duration {
    const difference = this.unixNanoseconds - other.unixNanoseconds;
    const bounded = difference > longest ? longest : difference < -longest - 1n ? -longest - 1n : difference;
    return new Duration(wrap(bounded));
  }

  toString(): string {
    return formatTime(this.reading(), "2006-01-02 15:04:05.999999999 -0700 MST");
  }

  toJson(): string {
    return formatTime(this.reading(), "2006-01-02T15:04:05.999999999Z07:00");
  }
}

export function timeFromUnix(nanoseconds: bigint, zone: Zone): Time {
  return new Time(nanoseconds, zone);
}

/** The time at which the clocks of a zone show these numbers; they may lie outside of their ranges. */
export function timeOf(
  [year, month, day, hour, minute, second]: readonly number[],
  nanosecond: number,
  zone: Zone,
): Time {
  const days = daysFromCivil(year ?? 0, month ?? 1, day ?? 1);
  const clock = days * 86_400 + (hour ?? 0) * 3600 + (minute ?? 0) * 60 + (second ?? 0);
  return new Time(BigInt(unixOf(clock, zone)) * billion + BigInt(nanosecond), zone);
}

function read(time: Time): Reading {
  const unix = Number(time.unixSeconds);
  const clock = clockAt(time.zone, unix) ?? { offset: 0, abbreviation: "UTC" };
  const seconds = unix + clock.offset;
  const days = Math.floor(seconds / 86_400);
  const ofDay = modulo(seconds, 86_400);
  const date = civilFromDays(days);
  return {
    ...date,
    ...clock,
    hour: Math.floor(ofDay / 3600),
    minute: Math.floor(ofDay / 60) % 60,
    second: ofDay % 60,
    nanosecond: Number(time.unixNanoseconds - time.unixSeconds * billion),
    weekday: weekdayOf(days),
    dayOfYear: days - daysFromCivil(date.year, 1, 1) + 1,
  };
}

function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}

// Methods

const number = (pick: (reading: Reading) => number) => ({
  params: 0,
  call: (self: Time): Value => pick(self.reading()),
});

const otherTime = (compare: (order: number) => boolean) => ({
  params: 1,
  call: (self: Time, [other]: Value[], at: number): Value =>
    compare(self.compare(argument(other, Time, "time.Time", at))),
});

const sinceEpoch = (unit: bigint) => ({
  params: 0,
  call: (self: Time): Value => wrap(floorDivide(self.unixNanoseconds, unit)),
});

export const timeMethods: Methods<Time> = {
  Year: number((reading) => reading.year),
  Month: {
    params: 0,
    call: (self) => named("time.Month", self.reading().month, monthNames[self.reading().month - 1]),
  },
  Day: number((reading) => reading.day),
  Hour: number((reading) => reading.hour),
  Minute: number((reading) => reading.minute),
  Second: number((reading) => reading.second),
  Nanosecond: number((reading) => reading.nanosecond),
  YearDay: number((reading) => reading.dayOfYear),
  Weekday: {
    params: 0,
    call: (self) => named("time.Weekday", self.reading().weekday, dayNames[self.reading().weekday]),
  },
  // Of two results an expression gets the first: the year.
  ISOWeek: number(isoYear),
  Unix: sinceEpoch(billion),
  UnixMilli: sinceEpoch(1_000_000n),
  UnixMicro: sinceEpoch(1000n),
  UnixNano: sinceEpoch(1n),
  After: otherTime((order) => order > 0),
  Before: otherTime((order) => order < 0),
  Equal: otherTime((order) => order === 0),
  Compare: {
    params: 1,
    call: (self, [other], at) => self.compare(argument(other, Time, "time.Time", at)),
  },
  Add: { params: 1, call: (self, [by], at) => self.add(argument(by, Duration, "time.Duration", at)) },
  Sub: { params: 1, call: (self, [other], at) => self.sub(argument(other, Time, "time.Time", at)) },
  AddDate: { params: 3, call: addDate },
  Truncate: { params: 1, call: (self, [unit], at) => toMultiple(self, unit, false, at) },
  Round: { params: 1, call: (self, [unit], at) => toMultiple(self, unit, true, at) },
  Format: { params: 1, call: (self, [layout], at) => formatTime(self.reading(), text(layout, at)) },
  String: { params: 0, call: (self) => self.toString() },
  GoString: { params: 0, call: (self) => self.toString() },
  UTC: { params: 0, call: (self) => self.in("UTC") },
  Local: { params: 0, call: (self) => self.in("Local") },
  In: { params: 1, call: (self, [zone], at) => self.in(argument(zone, Location, "*time.Location", at).zone) },
  Location: { params: 0, call: (self) => new Location(self.zone) },
  Zone: { params: 0, call: (self) => self.reading().abbreviation },
  IsZero: { params: 0, call: (self) => self.unixNanoseconds === -secondsBefore1970 * billion },
  IsDST: { params: 0, call: isSummerTime },
};

function named(type: string, value: number, label: string | undefined): Sized {
  return new Sized(type, value, label ?? "");
}

/** The year that the week of this day belongs to: that of its Thursday. */
function isoYear(reading: Reading): number {
  const days = daysFromCivil(reading.year, reading.month, reading.day);
  return civilFromDays(days - modulo(reading.weekday - 1, 7) + 3).year;
}

function addDate(self: Time, args: Value[], at: number): Value {
  const [years, months, days] = args.map((arg) => Number(toInt(arg, at))) as [number, number, number];
  const now = self.reading();
  return timeOf(
    [now.year + years, now.month + months, now.day + days, now.hour, now.minute, now.second],
    now.nanosecond,
    self.zone,
  );
}

/** Down to a multiple of a unit since the year 1, or to the nearest one, halves up. */
function toMultiple(self: Time, unit: Value, round: boolean, at: number): Time {
  const size = BigInt(argument(unit, Duration, "time.Duration", at).nanoseconds);
  if (size <= 0n) return self;
  const sinceYearOne = self.unixNanoseconds + secondsBefore1970 * billion;
  const rest = ((sinceYearOne % size) + size) % size;
  const up = round && rest + rest >= size ? size : 0n;
  return new Time(self.unixNanoseconds - rest + up, self.zone);
}

function isSummerTime(self: Time): boolean {
  const { year, offset } = self.reading();
  const winter = [1, 7].map((month) => offsetAt(self.zone, daysFromCivil(year, month, 1) * 86_400));
  return offset > Math.min(...winter);
}

// Built-ins

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
