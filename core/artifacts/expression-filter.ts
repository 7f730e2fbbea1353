import type { ExpressionFilter } from "#core/artifacts/git-selection.ts";
import type { Expressions, Scope } from "#core/expressions/expressions.ts";
import { timeFromUnix } from "#core/expressions/runtime/time.ts";
import { fixedZone } from "#core/expressions/runtime/zone.ts";

/** Judges commits and tags by expr-lang expressions, in which times have Go's methods. */
export function expressionFilter(expressions: Pick<Expressions, "evaluate">): ExpressionFilter {
  return async (expression, { texts, times }) => {
    const moments = Object.entries(times).map(([name, time]) => [name, readTime(time)]);
    const env = { ...texts, ...Object.fromEntries(moments) };
    return evaluateToBoolean(expressions, expression, { env, functions: {} });
  };
}

/** True and false, and whatever else Go's strconv.ParseBool takes for them; an Error for other values. */
export async function evaluateToBoolean(
  expressions: Pick<Expressions, "evaluate">,
  expression: string,
  scope: Scope,
): Promise<boolean> {
  const value = await expressions.evaluate(expression, scope);
  const text = typeof value === "string" ? value : JSON.stringify(value);
  if (/^(?:1|t|T|TRUE|true|True)$/.test(text)) return true;
  if (/^(?:0|f|F|FALSE|false|False)$/.test(text)) return false;
  throw new Error(`the result is neither true nor false: ${text}`);
}

/** The moment, in the time zone that it is written in; RFC 3339. */
export function readTime(text: string) {
  const [, sign, hours = "0", minutes = "0"] = /([+-])(\d\d):(\d\d)$/.exec(text) ?? [];
  const seconds = (Number(hours) * 60 + Number(minutes)) * (sign === "-" ? -60 : 60);
  return timeFromUnix(BigInt(Date.parse(text)) * 1_000_000n, seconds === 0 ? "UTC" : fixedZone(seconds, ""));
}
