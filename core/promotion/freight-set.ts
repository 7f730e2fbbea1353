import type { Promotion } from "#core/resources/promotion.ts";

/** On a promotion that brings several pieces of freight as one: their names by origin, as JSON. */
export const freightSetKey = "towpath.dev/freight-set";

/** Names of freight by origin (`Warehouse/<name>`). */
export type FreightSet = Readonly<Record<string, string>>;

/** What the promotion brings as one; undefined where it brings a single piece. */
export function freightSetOf({ metadata }: Pick<Promotion, "metadata">): FreightSet | undefined {
  const text = metadata.annotations?.[freightSetKey];
  if (text === undefined) return undefined;
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
    return Object.fromEntries(
      Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  } catch {
    // Somebody's own annotation of that name asks for nothing.
    return undefined;
  }
}

/** The same set gives the same text. */
export function freightSetText(set: FreightSet): string {
  return JSON.stringify(Object.fromEntries(Object.entries(set).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
