/** Something that was seen and not taken. */
export interface LeftOut {
  /** Of a tag, a version or a commit. */
  name: string;
  /** The rule that refused it, as a predicate: `matches none of allowTagsRegexes`. */
  reason: string;
}

/** What one subscription's rules chose, the best first, and what they left out. */
export interface Selection<T> {
  chosen: T[];
  leftOut: LeftOut[];
}

/** A rule: why a name is left out, or undefined where it may stay. */
export type Rule = (name: string) => string | undefined;

/** Parts names into those that every rule lets pass and those left out by the first that does not. */
export function applyRules(names: readonly string[], rules: readonly Rule[]): Selection<string> {
  const chosen: string[] = [];
  const leftOut: LeftOut[] = [];
  for (const name of names) {
    const reason = firstReason(name, rules);
    if (reason === undefined) chosen.push(name);
    else leftOut.push({ name, reason });
  }
  return { chosen, leftOut };
}

export function firstReason(name: string, rules: readonly Rule[]): string | undefined {
  for (const rule of rules) {
    const reason = rule(name);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

const defaultLimit = 20;

/** How many a subscription wants; 0 and nothing stand for the default. */
export function limitOf({ discoveryLimit }: { discoveryLimit?: number | undefined }): number {
  return discoveryLimit === undefined || discoveryLimit <= 0 ? defaultLimit : discoveryLimit;
}

/** Why what is beyond the limit is left out. */
export function beyondLimit(limit: number): string {
  return `is beyond the ${limit} best (discoveryLimit)`;
}

/** Left-out things by their reason, the most frequent first, each with a few examples. */
export function summarize(
  leftOut: readonly LeftOut[],
  examples = 3,
): { reason: string; count: number; examples: string[] }[] {
  const groups = new Map<string, string[]>();
  for (const { name, reason } of leftOut) {
    const names = groups.get(reason);
    if (names === undefined) groups.set(reason, [name]);
    else names.push(name);
  }
  return [...groups]
    .map(([reason, names]) => ({ reason, count: names.length, examples: names.slice(0, examples) }))
    .sort((one, other) => other.count - one.count);
}
