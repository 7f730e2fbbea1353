import { z } from "zod";

const millisecondsPerUnit: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};

const durationPattern = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

/** A Go duration string: `1h30m`, `300ms`, `0`. */
export const Duration = z
  .string()
  .regex(durationPattern, { error: "expected a duration such as 90s, 5m or 1h30m" });

/** The narrower durations that Kargo asks for in a few places: hours, minutes and seconds only. */
export const PlainDuration = z
  .string()
  .regex(/^(?:[0-9]+(?:\.[0-9]+)?(?:s|m|h))+$/, { error: "expected a duration such as 90s, 5m or 1h30m" });

/** Milliseconds of a Go duration string, or undefined when the text is none. */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    milliseconds += Number(amount) * (millisecondsPerUnit[unit as string] as number);
  }
  return text.startsWith("-") ? -milliseconds : milliseconds;
}

/** The duration as Go prints it: `1h30m0s`, `1.5s`, `250ms`, `0s`. */
export function formatDuration(milliseconds: number): string {
  const sign = milliseconds < 0 ? "-" : "";
  const size = Math.abs(milliseconds);
  if (size === 0) return "0s";
  if (size < 1e-3) return `${sign}${Math.round(size * 1e6)}ns`;
  if (size < 1) return `${sign}${trim(size * 1e3)}µs`;
  if (size < 1000) return `${sign}${trim(size)}ms`;
  const hours = Math.floor(size / 3_600_000);
  const minutes = Math.floor((size % 3_600_000) / 60_000);
  const seconds = `${trim((size % 60_000) / 1000)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** At most nine places, as Go's nanoseconds allow, and no zeros at the end. */
function trim(value: number): string {
  return String(Number(value.toFixed(9)));
}
