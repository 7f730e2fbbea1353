/** What a function of the host is given and gives: JSON values, and those of runtime/values.ts. */
export type HostValue = unknown;

/** A function that expressions can call by name. */
export interface HostFunction {
  readonly minArgs: number;
  readonly maxArgs: number;
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
