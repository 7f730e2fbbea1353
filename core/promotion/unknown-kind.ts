import { nearestName } from "#core/nearest-name.ts";

/** What is said of a step whose `uses` names nothing that is known. */
export function unknownKindMessage(kind: string, known: readonly string[]): string {
  const nearest = nearestName(kind, known);
  const advice = nearest === undefined ? "verify the kind is correct" : `did you mean "${nearest}"?`;
  return `step kind "${kind}" is not registered; ${advice}`;
}
