import { readFileSync } from "node:fs";

const formats = new Map<string, Intl.DateTimeFormat | undefined>();
const abbreviations = new Map<string, readonly Abbreviation[]>();

interface Abbreviation {
  /** When it came into use, as seconds since 1970. */
  readonly since: number;
  readonly offset: number;
  readonly name: string;
}

/**
 * How the clocks of a zone stand at a moment: `seconds east of UTC|abbreviation`, or "" when there is no
 * such zone. Offsets are Node's; their abbreviations, which Node has for few zones, are the system's.
 */
export function zoneAt(name: string, unixSeconds: number): string {
  const format = formatOf(name);
  if (!format) return "";
  const offset = offsetAt(format, unixSeconds);
  return `${offset}|${abbreviationOf(format.resolvedOptions().timeZone, name, offset, unixSeconds)}`;
}

function formatOf(name: string): Intl.DateTimeFormat | undefined {
  if (!formats.has(name)) formats.set(name, tryFormat(name));
  return formats.get(name);
}

function tryFormat(name: string): Intl.DateTimeFormat | undefined {
  // Node would take offsets too, and names in any case; Go knows the names of the database alone.
  if (name !== "Local" && !/^[A-Z][\w+-]*(?:\/[A-Za-z][\w+-]*)*$/.test(name)) return undefined;
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone: name === "Local" ? undefined : name,
      timeZoneName: "longOffset",
      year: "numeric",
    });
  } catch {
    return undefined;
  }
}

function offsetAt(format: Intl.DateTimeFormat, unixSeconds: number): number {
  const part = format.formatToParts(unixSeconds * 1000).find(({ type }) => type === "timeZoneName");
  const match = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(part?.value ?? "");
  if (!match?.[1]) return 0;
  const seconds = Number(match[2]) * 3600 + Number(match[3]) * 60 + Number(match[4] ?? 0);
  return match[1] === "-" ? -seconds : seconds;
}

function abbreviationOf(resolved: string, name: string, offset: number, unixSeconds: number): string {
  const known = abbreviationsOf(name === "Local" ? resolved : name).filter((one) => one.offset === offset);
  const current = known.findLast((one) => one.since <= unixSeconds) ?? known[0];
  if (current) return current.name;
  if (offset === 0) return "UTC";
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const digits = [Math.floor(minutes / 60), minutes % 60].map((one) => String(one).padStart(2, "0"));
  return (offset < 0 ? "-" : "+") + (digits[1] === "00" ? digits[0] : digits.join(""));
}

function abbreviationsOf(name: string): readonly Abbreviation[] {
  let known = abbreviations.get(name);
  if (!known) {
    known = readAbbreviations(name);
    abbreviations.set(name, known);
  }
  return known;
}

/** From the system's copy of the time zone database, where there is one (RFC 8536). */
function readAbbreviations(name: string): Abbreviation[] {
  try {
    return parseZoneFile(readFileSync(`/usr/share/zoneinfo/${name}`));
  } catch {
    return [];
  }
}

function parseZoneFile(file: Buffer): Abbreviation[] {
  if (file.toString("latin1", 0, 4) !== "TZif") return [];
  const [transitions, types, characters] = [32, 36, 40].map((at) => file.readUInt32BE(at)) as [
    number,
    number,
    number,
  ];
  const indexes = 44 + transitions * 4;
  const kinds = indexes + transitions;
  const names = kinds + types * 6;
  const text = file.toString("latin1", names, names + characters);
  const abbreviation = (type: number, since: number): Abbreviation => {
    const at = kinds + type * 6;
    const start = file.readUInt8(at + 5);
    return { since, offset: file.readInt32BE(at), name: text.slice(start, text.indexOf("\0", start)) };
  };
  const first = Array.from({ length: types }, (_, type) => abbreviation(type, Number.NEGATIVE_INFINITY));
  const later = Array.from({ length: transitions }, (_, index) =>
    abbreviation(file.readUInt8(indexes + index), file.readInt32BE(44 + index * 4)),
  );
  return [...first, ...later];
}
