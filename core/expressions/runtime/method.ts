import { fail, typeName, type Value } from "./values.ts";

/** A method: what it takes, and what it does. */
export interface Method<T> {
  readonly params: number;
  readonly call: (self: T, args: Value[], at: number) => Value;
}

export type Methods<T> = Readonly<Record<string, Method<T>>>;

/** The argument at a place, which must be of a class; else Go's complaint. */
export function argument<T>(
  value: Value,
  type: abstract new (...args: never[]) => T,
  name: string,
  at: number,
): T {
  if (value instanceof type) return value;
  return fail(`reflect: Call using ${typeName(value)} as type ${name}`, at);
}
