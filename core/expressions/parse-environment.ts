import { Float } from "./runtime/values.ts";

/** What JSON.parse tells of a number beyond its value. */
interface Source {
  readonly source?: string;
}

/**
 * Reads JSON as values of expressions, whose numbers are kept as they are written: `2.0` is a float, and
 * whole numbers of 64 bits keep all of their digits. Throws a SyntaxError.
 */
export function parseEnvironment(text: string): unknown {
  const revive = (_key: string, value: unknown, { source = "" }: Source): unknown => {
    if (typeof value !== "number") return value;
    if (!/^-?\d+$/.test(source)) return Number.isSafeInteger(value) ? new Float(value) : value;
    if (Number.isSafeInteger(value)) return value;
    const whole = BigInt(source);
    return BigInt.asIntN(64, whole) === whole ? whole : value;
  };
  return (JSON.parse as (text: string, revive: unknown) => unknown)(text, revive);
}
