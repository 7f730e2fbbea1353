import { fail } from "./values.ts";

/** As many elements as the language lets one evaluation make. */
const limit = 1_000_000;

let used = 0;

/** Starts a new evaluation. */
export function resetBudget(): void {
  used = 0;
}

/** Counts elements before they are made, so that what is too much is never made. */
export function spend(elements: number, at: number): void {
  used += elements;
  if (used >= limit) fail("memory budget exceeded", at);
}
