/** The little that the sandbox may ask of the outside. */
export interface Host {
  /** Whether an RE2 pattern matches, or what is wrong with it. */
  matches(pattern: string, text: string): boolean | string;
  /** The time now, the same throughout an evaluation: nanoseconds since 1970, as decimal digits. */
  now(): string;
  /** Where a zone's clocks stand at a moment: `offset seconds|abbreviation`, "" for an unknown zone. */
  zone(name: string, unixSeconds: number): string;
  /** Calls a host function; arguments and answer are JSON of the wire (see wire.ts). */
  call(name: string, args: string): string;
}

/** Put there by the outside before anything else is run. */
export const host: Host = (globalThis as unknown as { towpathHost: Host }).towpathHost;
