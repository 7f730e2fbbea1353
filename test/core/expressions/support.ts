import { afterAll, beforeAll, expect } from "vitest";
import { createExpressions, type Expressions, type HostFunctions } from "#core/expressions/expressions.ts";

/** A sandbox for the tests of one file. */
export function sandboxForFile(): () => Expressions {
  let expressions: Expressions | undefined;
  beforeAll(async () => {
    // Other work on the machine must not end an expression.
    expressions = await createExpressions({ milliseconds: 20_000 });
  });
  afterAll(() => expressions?.dispose());
  return () => expressions as Expressions;
}

/** A row of a table: an expression, and the JSON of its value or, as `fails`, part of the reason it has none. */
export type Row =
  | readonly [expression: string, json: string]
  | readonly [expression: string, failure: { fails: string }];

export const fails = (reason: string) => ({ fails: reason });

/** Holds one row against an environment. */
export async function holds(
  expressions: Expressions,
  [expression, wanted]: Row,
  env: Record<string, unknown> = {},
  functions: HostFunctions = {},
): Promise<void> {
  const answer = expressions.evaluateToJson(expression, { env, functions });
  if (typeof wanted === "string") expect(await answer).toBe(wanted);
  else
    await expect(answer).rejects.toMatchObject({
      name: "ExpressionError",
      message: expect.stringContaining(wanted.fails),
    });
}
