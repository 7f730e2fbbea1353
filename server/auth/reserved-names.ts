/** First parts of the names of whoever is no person: API tokens, links of pipelines and stages that answer gates. */
export const reservedPrefixes: readonly string[] = ["token", "link", "stage"];

const reservedNames: readonly string[] = ["admin", ...reservedPrefixes];

/** Whether a name is, or could be, one that Towpath itself gives; providers may let people choose theirs. */
export function isReserved(name: string): boolean {
  return reservedNames.includes(name) || reservedPrefixes.some((prefix) => name.startsWith(`${prefix}:`));
}
