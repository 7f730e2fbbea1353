import { civilFromDays, dayNames, daysFromCivil, modulo, monthNames } from "./civil.ts";
import { text, toInt } from "./conversions.ts";
import { Duration } from "./duration.ts";
import { argument, type Methods } from "./method.ts";
import { floorDivide, Time, timeOf } from "./time.ts";
import { formatTime } from "./time-format.ts";
import type { Reading } from "./time-reading.ts";
import { Sized, type Value, wrap } from "./values.ts";
import { Location, offsetAt } from "./zone.ts";

const billion = 1_000_000_000n;
/** From the first of January of the year 1 to 1970. */
const secondsBefore1970 = 62_135_596_800n;
const _longest = (1n << 63n) - 1n;

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
