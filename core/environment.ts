import { UserError } from "#core/failure.ts";
import { parseDuration } from "#core/resources/duration.ts";

/** Environment variables, by name. An empty one counts as not set. */
export type Environment = Record<string, string | undefined>;

/** A whole number from `least` on. Throws a UserError that names the variable. */
export function countFrom(env: Environment, name: string, otherwise: number, least = 1): number {
  const text = env[name];
  if (!text) return otherwise;
  const count = Number(text);
  if (/^\d{1,15}$/.test(text) && count >= least) return count;
  throw new UserError(`Cannot use ${name} "${text}": expected a whole number from ${least} on`);
}

/** A duration such as `1h30m`, in milliseconds. Throws a UserError that names the variable. */
export function millisecondsFrom(env: Environment, name: string, otherwise: number): number {
  const text = env[name];
  if (!text) return otherwise;
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds >= 0) return milliseconds;
  throw new UserError(`Cannot use ${name} "${text}": expected a duration such as 5m or 336h`);
}
