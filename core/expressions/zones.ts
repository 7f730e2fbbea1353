import { readFileSync } from "node:fs";

/** A zone of the system's time zone database. */
interface ZoneFile {
  /** Seconds since 1970, ascending, and for each the kind of clock that begins then. */
  readonly transitions: readonly number[];
  readonly kinds: readonly Clock[];
  /** What holds before the first transition. */
  readonly first: Clock;
  /** All kinds, to find the abbreviation that goes with an offset. */
  readonly all: readonly Clock[];
}

interface Clock {
  readonly offset: number;
  readonly name: string;
}

const formats = new Map<string, Intl.DateTimeFormat | undefined>();
const files = new Map<string, ZoneFile | undefined>();

/**
 * How the clocks of a zone stand at a moment: `seconds east of UTC|abbreviation`, or "" when there is no
 * such zone. The system's database knows it, as Go asks it too; after its last entry, and where there is
 * none, Node's own does, which has abbreviations for few zones.
 */
export function zoneAt(name: string, unixSeconds: number): string {
  const format = formatOf(name);
  if (!format) return "";
  const file = fileOf(name === "Local" ? format.resolvedOptions().timeZone : name);
  const clock = file && clockAt(file, unixSeconds);
  if (clock) return `${clock.offset}|${clock.name}`;
  const offset = offsetAt(format, unixSeconds);
  const abbreviation = file?.all.findLast((one) => one.offset === offset)?.name ?? numericName(offset);
  return `${offset}|${abbreviation}`;
}

/** The clock of a moment, unless it lies after all that the file tells. */
function clockAt(file: ZoneFile, unixSeconds: number): Clock | undefined {
  const { transitions, kinds, first } = file;
  if (transitions.length === 0) return first;
  const index = transitions.findLastIndex((transition) => transition <= unixSeconds);
  if (index < 0) return first;
  return index === transitions.length - 1 ? undefined : kinds[index];
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

/** What stands for an abbreviation where a zone has none: "+05", "-0330". */
function numericName(offset: number): string {
  if (offset === 0) return "UTC";
  const minutes = Math.trunc(Math.abs(offset) / 60);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((one) => String(one).padStart(2, "0"));
  return (offset < 0 ? "-" : "+") + hours + (rest === "00" ? "" : rest);
}

function fileOf(name: string): ZoneFile | undefined {
  if (!files.has(name)) files.set(name, readZoneFile(name));
  return files.get(name);
}

function readZoneFile(name: string): ZoneFile | undefined {
  try {
    return parseZoneFile(readFileSync(`/usr/share/zoneinfo/${name}`));
  } catch {
    return undefined;
  }
}

/** RFC 8536: a block with times of 32 bits and then, from version 2 on, the same with times of 64 bits. */
function parseZoneFile(file: Buffer): ZoneFile | undefined {
  if (file.toString("latin1", 0, 4) !== "TZif" || file.readUInt8(4) < 0x32) return undefined;
  const skipped = counts(file, 0);
  const start =
    44 + skipped.transitions * 5 + skipped.kinds * 6 + skipped.text + skipped.leaps * 8 + skipped.flags;
  const { transitions, kinds, text } = counts(file, start);
  const times = start + 44;
  const indexes = times + transitions * 8;
  const clocks = indexes + transitions;
  const names = file.toString("latin1", clocks + kinds * 6, clocks + kinds * 6 + text);
  const all = Array.from({ length: kinds }, (_, kind): Clock => {
    const at = clocks + kind * 6;
    const name = file.readUInt8(at + 5);
    return { offset: file.readInt32BE(at), name: names.slice(name, names.indexOf("\0", name)) };
  });
  const [first] = all;
  if (!first) return undefined;
  return {
    transitions: Array.from({ length: transitions }, (_, i) => Number(file.readBigInt64BE(times + i * 8))),
    kinds: Array.from({ length: transitions }, (_, i) => all[file.readUInt8(indexes + i)] ?? first),
    first,
    all,
  };
}

function counts(file: Buffer, start: number) {
  const at = (offset: number) => file.readUInt32BE(start + offset);
  // Universal and standard time indicators, one byte each.
  const flags = at(20) + at(24);
  return { flags, leaps: at(28), transitions: at(32), kinds: at(36), text: at(40) };
}
