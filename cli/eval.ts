import { contextVars, openContextRun, worldOf } from "#cli/context-run.ts";
import { parseContext } from "#cli/local-context.ts";
import type { LocalTools, LocalWorld } from "#cli/local-services.ts";
import type { Scope } from "#core/expressions/expressions.ts";
import { utilityFunctions } from "#core/expressions/kargo-functions.ts";
import { UserError } from "#core/failure.ts";
import { evaluateStep } from "#core/promotion/evaluate.ts";

/** One expression, template, or JSON value whose strings are templates. */
export interface EvalCase {
  /** A bare expression. */
  expr?: unknown;
  template?: unknown;
  env?: unknown;
  /** With it Kargo's functions work, and `ctx`, `vars` and `outputs` are what a step would see. */
  context?: unknown;
}

/** The value, as JSON text. Throws what is wrong with the case or the expression. */
export async function evaluateCase(tools: LocalTools, one: EvalCase): Promise<string> {
  const env = toEnv(one.env);
  // What needs no project works without a context too.
  if (one.context === undefined) return await evaluateIn(tools, one, { env, functions: utilityFunctions });
  const context = parseContext(one.context);
  const world = await tools.openWorld(worldOf(context));
  try {
    return await evaluateIn(tools, one, await contextScope(world, context, env));
  } finally {
    await world.close();
  }
}

async function evaluateIn(tools: LocalTools, { expr, template }: EvalCase, scope: Scope): Promise<string> {
  if (typeof expr === "string") return await tools.expressions.evaluateToJson(expr, scope);
  if (expr !== undefined) throw new UserError("Cannot evaluate the case: its `expr` is no text");
  if (template === undefined)
    throw new UserError("Cannot evaluate the case: it has neither `expr` nor `template`");
  return JSON.stringify((await tools.expressions.evaluateJsonTemplate(template, scope)) ?? null);
}

/** What a step of the context's promotion sees; the case's own values win. */
async function contextScope(
  world: LocalWorld,
  context: ReturnType<typeof parseContext>,
  env: Record<string, unknown>,
): Promise<Scope> {
  const step = { uses: "", as: context.alias };
  const run = await openContextRun(world, context, "");
  const functions = world.functionsFor(run, step);
  const evaluation = evaluateStep(world.expressions, functions, run, step, contextVars(context));
  return { env: { ...(await evaluation.environment()), ...env }, functions: functions.forStep };
}

function toEnv(env: unknown): Record<string, unknown> {
  if (env === undefined || env === null) return {};
  if (typeof env !== "object" || Array.isArray(env)) {
    throw new UserError("Cannot evaluate the case: its variables (`env`) are no JSON object");
  }
  return env as Record<string, unknown>;
}
