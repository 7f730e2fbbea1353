import type { Expressions, HostFunctions } from "#core/expressions/expressions.ts";
import type { AnalysisPhase } from "#core/resources/analysis-run.ts";
import type { Metric } from "#core/resources/analysis-template.ts";

/**
 * What a metric's conditions say of a value. Without any, each value is good; with one alone, what is not
 * good is bad. Throws when a condition cannot be evaluated or is neither true nor false.
 */
export async function judge(
  expressions: Pick<Expressions, "evaluate">,
  { successCondition, failureCondition }: Metric,
  result: unknown,
): Promise<Extract<AnalysisPhase, "Successful" | "Failed" | "Inconclusive">> {
  const holds = async (which: string, condition: string): Promise<boolean> => {
    const told = `could not evaluate ${which} "${condition}"`;
    const value = await expressions
      .evaluate(condition, { env: { result }, functions })
      .catch((error: Error) => {
        const why = isEmpty(result)
          ? "metric result is nil or empty: no data returned from the metric provider"
          : error.message;
        throw new Error(`${told}: ${why}`, { cause: error });
      });
    if (typeof value === "boolean") return value;
    throw new Error(`${told}: it must be true or false, and is ${JSON.stringify(value)}`);
  };
  const succeeds = successCondition ? await holds("successCondition", successCondition) : undefined;
  const fails = failureCondition ? await holds("failureCondition", failureCondition) : undefined;
  if (fails ?? succeeds === false) return "Failed";
  return (succeeds ?? true) ? "Successful" : "Inconclusive";
}

function isEmpty(result: unknown): boolean {
  return result === null || result === undefined || (Array.isArray(result) && result.length === 0);
}

/** What conditions may call beside the language's own functions. */
const functions: HostFunctions = {
  asInt: unary((value) => {
    const number = Math.trunc(toNumber(value, "int"));
    if (Number.isSafeInteger(number)) return number;
    throw new Error(`cannot convert ${JSON.stringify(value)} to int`);
  }),
  asFloat: unary((value) => toNumber(value, "float")),
  isNaN: unary((value) => typeof value === "number" && Number.isNaN(value)),
  isInf: unary((value) => value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY),
  isNil: unary((value) => value === null || value === undefined),
  default: { minArgs: 2, maxArgs: 2, call: ([value, otherwise]) => value ?? otherwise },
};

function unary(call: (value: unknown) => unknown) {
  return { minArgs: 1, maxArgs: 1, call: ([value]: readonly unknown[]) => call(value) };
}

function toNumber(value: unknown, type: string): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number === "number" && !(typeof value === "string" && Number.isNaN(number))) return number;
  throw new Error(`cannot convert ${JSON.stringify(value)} to ${type}`);
}
