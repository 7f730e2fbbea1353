import { createExpressions, type Expressions } from "./expressions.ts";

let shared: Promise<Expressions> | undefined;

/** The one sandbox of this process, started when it is first asked for. Do not dispose of it. */
export function sharedExpressions(): Promise<Expressions> {
  shared ??= createExpressions();
  return shared;
}
