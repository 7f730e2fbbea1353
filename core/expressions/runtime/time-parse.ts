import { dayNames, daysFromCivil, daysInMonth, isLeap, monthNames } from "./civil.ts";
import { type LayoutPiece, piecesOf } from "./layout.ts";
import { Time, timeOf } from "./time.ts";
import { clockAt, fixedZone, type Zone } from "./zone.ts";

/** What has been read so far. */
interface Parts {
  year: number;
  month: number | undefined;
  day: number | undefined;
  dayOfYear: number | undefined;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  afternoon: boolean | undefined;
  utc: boolean;
  offset: number | undefined;
  abbreviation: string;
}

/** Something that is no date: `rest` is where the text stopped to fit; a range says what was too large. */
class Misfit extends Error {
  readonly rest: string | undefined;
  readonly range: string | undefined;
  constructor(rest: string | undefined, range?: string) {
    super();
    this.rest = rest;
    this.range = range;
  }
}

/**
 * Reads a time in Go's way. Without a zone, times that name none are UTC. A string is Go's complaint.
 */
export function parseTime(layout: string, text: string, zone: Zone | undefined): Time | string {
  const parts: Parts = {
    year: 0,
    month: undefined,
    day: undefined,
    dayOfYear: undefined,
    hour: 0,
    minute: 0,
    second: 0,
    nanosecond: 0,
    afternoon: undefined,
    utc: false,
    offset: undefined,
    abbreviation: "",
  };
  const pieces = piecesOf(layout);
  let rest = text;
  let current = "";
  const quoted = JSON.stringify;
  try {
    for (const [index, piece] of pieces.entries()) {
      if ("text" in piece) {
        current = piece.text;
        rest = skipText(rest, piece.text);
      } else {
        current = piece.part;
        rest = readPart(piece.part, rest, parts, pieces[index + 1]);
      }
    }
    if (rest !== "") return `parsing time ${quoted(text)}: extra text: ${quoted(rest)}`;
    return assemble(parts, zone);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    if (error.range !== undefined) return `parsing time ${quoted(text)}: ${error.range} out of range`;
    const at = quoted(error.rest ?? rest);
    return `parsing time ${quoted(text)} as ${quoted(layout)}: cannot parse ${at} as ${quoted(current)}`;
  }
}

/** Text must be there as written; where it has spaces, any number of them will do. */
function skipText(source: string, expected: string): string {
  let rest = source;
  for (const run of expected.split(/( +)/)) {
    if (run.startsWith(" ")) {
      if (rest !== "" && !rest.startsWith(" ")) throw new Misfit(rest);
      rest = rest.replace(/^ +/, "");
    } else if (rest.startsWith(run)) {
      rest = rest.slice(run.length);
    } else {
      throw new Misfit(rest);
    }
  }
  return rest;
}

type Reader = (source: string, parts: Parts, next: LayoutPiece | undefined) => string;

/** A reader of digits. What `keep` gives back is out of range. */
function digits(pattern: RegExp, keep: (parts: Parts, value: number) => string | undefined): Reader {
  return (source, parts) => {
    const text = take(source, pattern);
    const outside = keep(parts, Number(text));
    if (outside !== undefined) throw new Misfit(undefined, outside);
    return source.slice(text.length);
  };
}

const oneOrTwo = /^\d{1,2}/;
const two = /^\d{2}/;

const setMonth = (parts: Parts, value: number) => {
  parts.month = value;
  return value < 1 || value > 12 ? "month" : undefined;
};
const setDay = (parts: Parts, value: number) => {
  parts.day = value;
  return undefined;
};
const setDayOfYear = (parts: Parts, value: number) => {
  parts.dayOfYear = value;
  return undefined;
};
const setHour = (most: number) => (parts: Parts, value: number) => {
  parts.hour = value;
  return value > most ? "hour" : undefined;
};
const setMinute = (parts: Parts, value: number) => {
  parts.minute = value;
  return value > 59 ? "minute" : undefined;
};
const setSecond = (parts: Parts, value: number) => {
  parts.second = value;
  return value > 59 ? "second" : undefined;
};

const readMonthName =
  (short: boolean): Reader =>
  (source, parts) => {
    const [index, rest] = readName(source, monthNames, short);
    parts.month = index + 1;
    return rest;
  };

/** Seconds may have a fraction though the layout has none. */
const readSecond =
  (pattern: RegExp): Reader =>
  (source, parts, next) => {
    const rest = digits(pattern, setSecond)(source, parts, next);
    return next && "part" in next && /^[.,]/.test(next.part) ? rest : readFraction(rest, parts);
  };

const readHalf =
  (pattern: RegExp): Reader =>
  (source, parts) => {
    parts.afternoon = take(source, pattern).toLowerCase() === "pm";
    return source.slice(2);
  };

const readers: Readonly<Record<string, Reader>> = {
  "2006": digits(/^\d{4}/, (parts, value) => {
    parts.year = value;
    return undefined;
  }),
  "06": digits(two, (parts, value) => {
    parts.year = value >= 69 ? value + 1900 : value + 2000;
    return undefined;
  }),
  January: readMonthName(false),
  Jan: readMonthName(true),
  Monday: (source) => readName(source, dayNames, false)[1],
  Mon: (source) => readName(source, dayNames, true)[1],
  "1": digits(oneOrTwo, setMonth),
  "01": digits(two, setMonth),
  "2": digits(oneOrTwo, setDay),
  _2: (source, parts, next) => digits(oneOrTwo, setDay)(source.replace(/^ /, ""), parts, next),
  "02": digits(two, setDay),
  __2: digits(/^ {0,2}\d{1,3}/, setDayOfYear),
  "002": digits(/^\d{3}/, setDayOfYear),
  "15": digits(oneOrTwo, setHour(23)),
  "3": digits(oneOrTwo, setHour(12)),
  "03": digits(two, setHour(12)),
  "4": digits(oneOrTwo, setMinute),
  "04": digits(two, setMinute),
  "5": readSecond(oneOrTwo),
  "05": readSecond(two),
  PM: readHalf(/^[AP]M/),
  pm: readHalf(/^[ap]m/),
  MST: readAbbreviation,
};

function readPart(part: string, source: string, parts: Parts, next: LayoutPiece | undefined): string {
  const reader = readers[part];
  if (reader) return reader(source, parts, next);
  if (part.startsWith("Z") && source.startsWith("Z")) {
    parts.utc = true;
    return source.slice(1);
  }
  if (part.startsWith("Z") || part.startsWith("-")) return readOffset(part, source, parts);
  if (part.charAt(1) === "9") return readFraction(source, parts);
  const fraction = take(source, new RegExp(`^[.,]\\d{${part.length - 1}}`));
  parts.nanosecond = nanoseconds(fraction);
  return source.slice(fraction.length);
}

function take(source: string, pattern: RegExp): string {
  const match = pattern.exec(source);
  if (!match) throw new Misfit(source);
  return match[0];
}

function readFraction(source: string, parts: Parts): string {
  const match = /^[.,]\d+/.exec(source);
  if (!match) return source;
  parts.nanosecond = nanoseconds(match[0]);
  return source.slice(match[0].length);
}

function nanoseconds(fraction: string): number {
  return Number(fraction.slice(1, 10).padEnd(9, "0"));
}

function readName(source: string, names: readonly string[], short: boolean): [number, string] {
  const lower = source.toLowerCase();
  const index = names.findIndex((name) => lower.startsWith((short ? name.slice(0, 3) : name).toLowerCase()));
  const name = names[index];
  if (name === undefined) throw new Misfit(source);
  return [index, source.slice(short ? 3 : name.length)];
}

function readOffset(part: string, source: string, parts: Parts): string {
  const pattern = `^([+-])${part.slice(1).replace(/\d\d/g, "(\\d\\d)")}`;
  const match = new RegExp(pattern).exec(source);
  if (!match) throw new Misfit(source);
  const [all, sign, hours = "0", minutes = "0", seconds = "0"] = match;
  if (Number(hours) > 24) throw new Misfit(undefined, "time zone offset hour");
  if (Number(minutes) > 60) throw new Misfit(undefined, "time zone offset minute");
  const offset = Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  parts.offset = sign === "-" ? -offset : offset;
  return source.slice(all.length);
}

function readAbbreviation(source: string, parts: Parts): string {
  if (source.startsWith("UTC")) {
    parts.utc = true;
    return source.slice(3);
  }
  const match =
    /^(?:ChST|MeST|GMT(?:[+-](?:[01]?\d|2[0-3])(?!\d))?|[+-](?:[01]?\d|2[0-3])(?!\d))/.exec(source) ??
    /^(?:[A-Z]{4}T|[A-Z]{3}T|WITA|[A-Z]{3})(?![A-Z])/.exec(source);
  if (!match) throw new Misfit(source);
  parts.abbreviation = match[0];
  return source.slice(match[0].length);
}

function assemble(parts: Parts, zone: Zone | undefined): Time {
  let { hour } = parts;
  if (parts.afternoon === true && hour < 12) hour += 12;
  if (parts.afternoon === false && hour === 12) hour = 0;
  const [month, day] = monthAndDay(parts);
  const clock = [parts.year, month, day, hour, parts.minute, parts.second];
  const plain = timeOf(clock, parts.nanosecond, "UTC");
  if (parts.utc) return plain;
  const local = zone ?? "UTC";
  if (parts.offset !== undefined) return atOffset(plain, parts.offset, parts.abbreviation, local);
  if (parts.abbreviation !== "") return atAbbreviation(plain, parts.abbreviation, local);
  return timeOf(clock, parts.nanosecond, local);
}

function monthAndDay(parts: Parts): [number, number] {
  if (parts.dayOfYear !== undefined) {
    if (parts.dayOfYear < 1 || parts.dayOfYear > (isLeap(parts.year) ? 366 : 365)) {
      throw new Misfit(undefined, "day-of-year");
    }
    const start = daysFromCivil(parts.year, 1, 1);
    let month = 1;
    while (daysFromCivil(parts.year, month + 1, 1) - start < parts.dayOfYear) month++;
    const day = parts.dayOfYear - (daysFromCivil(parts.year, month, 1) - start);
    if (parts.month !== undefined && parts.month !== month)
      throw new Misfit(undefined, "day-of-year does not match month");
    if (parts.day !== undefined && parts.day !== day)
      throw new Misfit(undefined, "day-of-year does not match day");
    return [month, day];
  }
  const [month, day] = [parts.month ?? 1, parts.day ?? 1];
  if (day < 1 || day > daysInMonth(parts.year, month)) throw new Misfit(undefined, "day");
  return [month, day];
}

function atOffset(plain: Time, offset: number, abbreviation: string, local: Zone): Time {
  const moment = plain.unixNanoseconds - BigInt(offset) * 1_000_000_000n;
  const clock = clockAt(local, Number(moment / 1_000_000_000n));
  const fits = clock?.offset === offset && (abbreviation === "" || abbreviation === clock.abbreviation);
  return new Time(moment, fits ? local : fixedZone(offset, abbreviation));
}

/** An abbreviation means what it means in the local zone; one that is unknown there is taken for UTC. */
function atAbbreviation(plain: Time, abbreviation: string, local: Zone): Time {
  const seconds = Number(plain.unixSeconds);
  for (const distance of [0, 15_552_000, -15_552_000]) {
    const clock = clockAt(local, seconds + distance);
    if (clock?.abbreviation === abbreviation) {
      return new Time(plain.unixNanoseconds - BigInt(clock.offset) * 1_000_000_000n, local);
    }
  }
  const hours = /^GMT([+-]\d+)$/.exec(abbreviation)?.[1];
  const offset = hours === undefined ? 0 : Number(hours) * 3600;
  // As Go does it: the zone is put on the time without the clock being set by it.
  return plain.in(fixedZone(offset, abbreviation));
}
