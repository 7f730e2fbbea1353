import { z } from "zod";
import { ExpressionError, type HostFunctions } from "#core/expressions/expressions.ts";
import { parse } from "#core/expressions/parser.ts";
import { Float } from "#core/expressions/runtime/values.ts";
import { sharedExpressions } from "#core/expressions/shared.ts";
import { StepFailure } from "#core/failure.ts";
import type { StepOutput } from "#core/step.ts";

/** What the expressions in a step's configuration can see. Anything may be the root, a list too. */
export interface Sight {
  env: unknown;
  functions?: HostFunctions;
}

/**
 * The value of an expression that a step evaluates itself. `what` names the expression in messages.
 * One that cannot be read is "refused", since only editing helps; one that fails on the data is "errored".
 */
export async function evaluate(what: string, expression: string, sight: Sight): Promise<unknown> {
  try {
    parse(expression);
  } catch (error) {
    throw expressionFailure("refused", `Cannot read ${what}`, error);
  }
  const expressions = await sharedExpressions();
  try {
    const env = sight.env as Record<string, unknown>;
    return await expressions.evaluate(expression, { env, functions: sight.functions ?? {} });
  } catch (error) {
    throw expressionFailure("errored", `Cannot evaluate ${what}`, error);
  }
}

function expressionFailure(kind: "refused" | "errored", what: string, error: unknown): unknown {
  if (!(error instanceof ExpressionError)) return error;
  return new StepFailure(kind, `${what}: ${error.message}`, { cause: error });
}

/** Data from a JSON or YAML file as Kargo's expressions see them: every number is a float. */
export function withFloats(value: unknown): unknown {
  if (typeof value === "number") return Number.isSafeInteger(value) ? new Float(value) : value;
  if (Array.isArray(value)) return value.map(withFloats);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withFloats(one)]));
  }
  return value;
}

const extraction = z.strictObject({
  name: z.string().min(1).describe("Name of the output."),
  fromExpression: z
    .string()
    .min(1)
    .describe("Expression that gives the output's value. It stands bare, without `${{` and `}}`."),
});

/** `outputs` of the steps that take values out of something. */
export const extractions = z.array(extraction);
export type Extraction = z.infer<typeof extraction>;

/** The output that the expressions give, each evaluated by itself. */
export async function extract(outputs: readonly Extraction[], sight: Sight): Promise<StepOutput> {
  const found: StepOutput = {};
  for (const { name, fromExpression } of outputs) {
    found[name] = await evaluate(`the expression of output "${name}"`, fromExpression, sight);
  }
  return found;
}

export const extractedOutput = z
  .record(z.string(), z.unknown())
  .describe("One value for each entry of `outputs`, under its name.");
