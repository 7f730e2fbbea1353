import { countFrom, type Environment, millisecondsFrom } from "#core/environment.ts";

/** How much of what nothing uses any more is kept. */
export interface Retention {
  /** How many that are older than the oldest one in use. */
  maxRetained: number;
  /** What is younger than so many milliseconds is never deleted. */
  minAgeMs: number;
}

const defaults: Retention = { maxRetained: 20, minAgeMs: 14 * 24 * 60 * 60_000 };

/** From two environment variables; Kargo's defaults where they are not set. Throws a UserError that names the wrong one. */
export function retentionFrom(env: Environment, names: { max: string; age: string }): Retention {
  return {
    maxRetained: countFrom(env, names.max, defaults.maxRetained, 0),
    minAgeMs: millisecondsFrom(env, names.age, defaults.minAgeMs),
  };
}
