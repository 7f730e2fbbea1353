import { createRequire } from "node:module";
import type { RRuleTemporal } from "rrule-temporal";

/** A moment with its time zone, of the Temporal that the library uses. */
export type Zoned = ReturnType<RRuleTemporal["options"]>["dtstart"];

/** Loaded when the first window is read: most daemons have none. */
export function ruleLibrary(): typeof import("rrule-temporal") {
  return createRequire(import.meta.url)("rrule-temporal");
}
