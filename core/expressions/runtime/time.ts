import { civilFromDays, daysFromCivil, modulo, weekdayOf } from "./civil.ts";
import { Duration } from "./duration.ts";
import { formatTime } from "./time-format.ts";
import type { Reading } from "./time-reading.ts";
import { wrap } from "./values.ts";
import { clockAt, unixOf, type Zone } from "./zone.ts";

const billion = 1_000_000_000n;
/** From the first of January of the year 1 to 1970. */
const _secondsBefore1970 = 62_135_596_800n;
const longest = (1n << 63n) - 1n;

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

/** The quotient rounded down, as for times before 1970. */
export function floorDivide(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by < 0n ? quotient - 1n : quotient;
}
