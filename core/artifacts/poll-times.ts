import { parseDuration } from "#core/resources/duration.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";

const defaultIntervalMs = 300_000;
/** Kargo's own name is not taken for what Kargo does not have. */
export const settleAnnotation = "towpath.dev/settle";

/** How often a Warehouse looks, at least so many milliseconds apart. */
export function intervalMs({ spec }: Warehouse, minimumMs: number): number {
  return Math.max(parseDuration(spec.interval) ?? defaultIntervalMs, minimumMs);
}

/** How long artifacts must stay the same before they become freight; 0 where nothing is said. */
export function settleMs({ metadata }: Warehouse): number {
  return Math.max(0, parseDuration(metadata.annotations?.[settleAnnotation] ?? "0") ?? 0);
}

/**
 * Until the next look, in seconds. Later by up to a tenth, at random, so that Warehouses that were created
 * together do not look together for ever; never earlier, or the answers kept from this time would do.
 */
export function nextLookSeconds(discoveredAt: string, interval: number, now: Date, random: number): number {
  const left = Date.parse(discoveredAt) + interval - now.getTime();
  return Math.max(0.1, left / 1000) + (interval / 1000) * 0.1 * random;
}

const firstRetrySeconds = 5;
const longestRetrySeconds = 600;

/** The pause after the nth failure in a row, spread by up to a half. */
export function retrySeconds(failures: number, random: number): number {
  const pause = Math.min(longestRetrySeconds, firstRetrySeconds * 2 ** (failures - 1));
  return pause * (0.5 + random / 2);
}
