import { anything, func, type Nature, type Signature, unknown } from "./natures.ts";

/** What a function of the host is given and gives: JSON values, and those of runtime/values.ts. */
export type HostValue = unknown;

/** A function that expressions can call by name. */
export interface HostFunction {
  readonly minArgs: number;
  readonly maxArgs: number;
  /** What it takes and gives; without it, anything. */
  readonly signatures?: readonly Signature[];
  /**
   * Must be free of effects: one evaluation asks at most once for the same arguments, and may drop the
   * answer. A Promise suspends the evaluation until it is settled. What is thrown ends it.
   */
  call(args: readonly HostValue[]): HostValue | Promise<HostValue>;
}

export type HostFunctions = Readonly<Record<string, HostFunction>>;

/** What an evaluation can see. */
export interface Scope {
  /** Values by name; JSON, and values of runtime/values.ts. */
  readonly env: Readonly<Record<string, unknown>>;
  readonly functions: HostFunctions;
}

/** A function's type as the checker sees it. */
export function natureOfFunction({ minArgs, maxArgs, signatures }: HostFunction): Nature {
  if (signatures) return func(...signatures);
  const counts = Array.from({ length: maxArgs - minArgs + 1 }, (_, index) => minArgs + index);
  return func(...counts.map((count) => ({ params: Array(count).fill(anything), result: unknown })));
}
