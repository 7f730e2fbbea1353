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

function readPart(part: string, source: string, parts: Parts, next: LayoutPiece | undefined): string {
  const take = (pattern: RegExp): string => {
    const match = pattern.exec(source);
    if (!match) throw new Misfit(source);
    return match[0];
  };
  const number = (pattern: RegExp): [number, string] => {
    const digits = take(pattern);
    return [Number(digits), source.slice(digits.length)];
  };
  const bounded = (value: number, low: number, high: number, what: string): number => {
    if (value < low || value > high) throw new Misfit(undefined, what);
    return value;
  };
  let value: number;
  let rest: string;
  switch (part) {
    case "2006":
      [parts.year, rest] = number(/^\d{4}/);
      return rest;
    case "06":
      [value, rest] = number(/^\d{2}/);
      parts.year = value >= 69 ? value + 1900 : value + 2000;
      return rest;
    case "January":
    case "Jan":
      [value, rest] = readName(source, monthNames, part === "Jan");
      parts.month = value + 1;
      return rest;
    case "Monday":
    case "Mon":
      return readName(source, dayNames, part === "Mon")[1];
    case "1":
    case "01":
      [value, rest] = number(part === "01" ? /^\d{2}/ : /^\d{1,2}/);
      parts.month = bounded(value, 1, 12, "month");
      return rest;
    case "2":
    case "_2":
    case "02":
      if (part === "_2" && source.startsWith(" ")) return readPart("2", source.slice(1), parts, next);
      [parts.day, rest] = number(part === "02" ? /^\d{2}/ : /^\d{1,2}/);
      return rest;
    case "__2":
    case "002":
      [parts.dayOfYear, rest] = number(part === "002" ? /^\d{3}/ : /^ {0,2}\d{1,3}/);
      return rest;
    case "15":
      [value, rest] = number(/^\d{1,2}/);
      parts.hour = bounded(value, 0, 23, "hour");
      return rest;
    case "3":
    case "03":
      [value, rest] = number(part === "03" ? /^\d{2}/ : /^\d{1,2}/);
      parts.hour = bounded(value, 0, 12, "hour");
      return rest;
    case "4":
    case "04":
      [value, rest] = number(part === "04" ? /^\d{2}/ : /^\d{1,2}/);
      parts.minute = bounded(value, 0, 59, "minute");
      return rest;
    case "5":
    case "05":
      [value, rest] = number(part === "05" ? /^\d{2}/ : /^\d{1,2}/);
      parts.second = bounded(value, 0, 59, "second");
      return isFraction(next) ? rest : readFraction(rest, parts);
    case "PM":
    case "pm": {
      const half = take(part === "PM" ? /^[AP]M/ : /^[ap]m/);
      parts.afternoon = half.toLowerCase() === "pm";
      return source.slice(2);
    }
    case "MST":
      return readAbbreviation(source, parts);
  }
  if (part.startsWith("Z") && source.startsWith("Z")) {
    parts.utc = true;
    return source.slice(1);
  }
  if (part.startsWith("Z") || part.startsWith("-")) return readOffset(part, source, parts);
  if (part.charAt(1) === "9") return readFraction(source, parts);
  const digits = take(new RegExp(`^[.,]\\d{${part.length - 1}}`));
  parts.nanosecond = nanoseconds(digits);
  return source.slice(digits.length);
}

function isFraction(piece: LayoutPiece | undefined): boolean {
  return piece !== undefined && "part" in piece && /^[.,]/.test(piece.part);
}

/** Seconds may have a fraction though the layout has none. */
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
  return new Time(plain.unixNanoseconds - BigInt(offset) * 1_000_000_000n, fixedZone(offset, abbreviation));
}
