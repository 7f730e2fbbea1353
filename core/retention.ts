import { UserError } from "#core/failure.ts";
import { parseDuration } from "#core/resources/duration.ts";

/** How much of what nothing uses any more is kept. */
export interface Retention {
  /** How many that are older than the oldest one in use. */
  maxRetained: number;
  /** What is younger than so many milliseconds is never deleted. */
  minAgeMs: number;
}

const defaults: Retention = { maxRetained: 20, minAgeMs: 14 * 24 * 60 * 60_000 };

/** From two environment variables; Kargo's defaults where they are not set. Throws a UserError that names the wrong one. */
export function retentionFrom(
  env: Record<string, string | undefined>,
  names: { max: string; age: string },
): Retention {
  const max = env[names.max];
  const age = env[names.age];
  const maxRetained = max ? Number(max) : defaults.maxRetained;
  const minAgeMs = age ? parseDuration(age) : defaults.minAgeMs;
  if (!Number.isInteger(maxRetained) || maxRetained < 0) {
    throw new UserError(`Cannot use ${names.max} "${max}": expected a whole number from 0 on`);
  }
  if (minAgeMs === undefined || minAgeMs < 0) {
    throw new UserError(`Cannot use ${names.age} "${age}": expected a duration such as 336h`);
  }
  return { maxRetained, minAgeMs };
}
