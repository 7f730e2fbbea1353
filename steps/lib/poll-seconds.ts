import { parseDuration } from "#core/resources/duration.ts";

/** Seconds until a waiting step looks again by itself: never, unless a poll interval is set. */
export function pollSeconds(interval: string | undefined): number {
  if (interval === undefined) return Infinity;
  return Math.max(1, (parseDuration(interval) ?? 0) / 1000);
}
