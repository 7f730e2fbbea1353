import { host } from "./host.ts";

/**
 * A place whose clocks a time is read on: "UTC", "Local", a name of the time zone database, or a fixed
 * offset, written `=seconds|abbreviation`.
 */
export type Zone = string;

export interface Clock {
  /** Seconds east of UTC. */
  readonly offset: number;
  readonly abbreviation: string;
}

export function fixedZone(offset: number, abbreviation: string): Zone {
  return `=${offset}|${abbreviation}`;
}

/** How the clocks of a zone stand at a moment; undefined when there is no such zone. */
export function clockAt(zone: Zone, unixSeconds: number): Clock | undefined {
  if (zone === "UTC") return { offset: 0, abbreviation: "UTC" };
  const answer = zone.startsWith("=") ? zone.slice(1) : host.zone(zone, unixSeconds);
  if (answer === "") return undefined;
  const bar = answer.indexOf("|");
  return { offset: Number(answer.slice(0, bar)), abbreviation: answer.slice(bar + 1) };
}

export function offsetAt(zone: Zone, unixSeconds: number): number {
  return clockAt(zone, unixSeconds)?.offset ?? 0;
}

/** The moment at which the clocks of a zone show a time, given as if they showed UTC. */
export function unixOf(clockSeconds: number, zone: Zone): number {
  const first = offsetAt(zone, clockSeconds);
  const second = offsetAt(zone, clockSeconds - first);
  return clockSeconds - second;
}

/** Go's *time.Location. */
export class Location {
  readonly type = "*time.Location";
  readonly zone: Zone;

  constructor(zone: Zone) {
    this.zone = zone;
  }

  get key(): string {
    return `location ${this.zone}`;
  }

  toString(): string {
    return this.zone.startsWith("=") ? this.zone.slice(this.zone.indexOf("|") + 1) : this.zone;
  }
}
