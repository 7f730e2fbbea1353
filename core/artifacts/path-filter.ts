import type { Pattern } from "#core/artifacts/patterns.ts";
import { parsePathPattern } from "#core/artifacts/patterns.ts";

export interface PathFields {
  includePaths?: readonly string[] | undefined;
  excludePaths?: readonly string[] | undefined;
}

/**
 * Whether a change of these files counts: when one of them is included (all are, where nothing says which)
 * and not excluded. Undefined when the subscription says nothing of paths.
 */
export function pathFilter(fields: PathFields): ((paths: readonly string[]) => boolean) | undefined {
  const included = patterns(fields.includePaths, "includePaths");
  const excluded = patterns(fields.excludePaths, "excludePaths");
  if (included.length + excluded.length === 0) return undefined;
  const counts = (path: string) =>
    (included.length === 0 || included.some((matches) => matches(path))) &&
    !excluded.some((matches) => matches(path));
  return (paths) => paths.some(counts);
}

function patterns(written: readonly string[] | undefined, field: string): Pattern[] {
  return (written ?? []).map((pattern) => parsePathPattern(pattern, field));
}
