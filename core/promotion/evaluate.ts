import type { Expressions, HostFunctions } from "#core/expressions/expressions.ts";
import { splitAlias } from "#core/promotion/alias.ts";
import { hasFailures } from "#core/promotion/conditions.ts";
import { promotionContext } from "#core/promotion/invocation.ts";
import type { PromotionRun, RunStep } from "#core/promotion/run.ts";
import type { PromotionStep, StepExecutionMetadata } from "#core/resources/promotion.ts";

/** The functions that expressions of one step may call. */
export interface StepFunctions {
  /** In the values of variables: data, freight, utilities. */
  forVars: HostFunctions;
  /** In `if` and `config`: those, and what tells the status of earlier steps. */
  forStep: HostFunctions;
}

/** The expressions of one step, evaluated when they are asked for; its variables only once. */
export interface StepEvaluation {
  /** True when the step is not to be run. Throws when `if` cannot be evaluated or gives no boolean. */
  shouldSkip(): Promise<boolean>;
  vars(): Promise<Record<string, unknown>>;
  config(): Promise<Record<string, unknown>>;
  /** What `forEach` is for. Throws when it is no list, or too long a one. */
  items(): Promise<unknown[]>;
  /** All that expressions of the step can refer to by name. */
  environment(): Promise<Record<string, unknown>>;
}

const mostItems = 1000;

/** `knownVars` stand in for the variables that the promotion and the step define. */
export function evaluateStep(
  expressions: Expressions,
  functions: StepFunctions,
  run: PromotionRun,
  step: RunStep,
  knownVars?: Record<string, unknown>,
): StepEvaluation {
  let evaluatedVars = knownVars === undefined ? undefined : Promise.resolve(knownVars);
  const vars = () => {
    evaluatedVars ??= evaluateVars(expressions, functions.forVars, run, step);
    return evaluatedVars;
  };
  const environment = async (text: string) => ({
    ...stepEnvironment(run, step, text),
    vars: await vars(),
  });
  const scope = async (text: string) => ({
    env: await environment(text),
    functions: functions.forStep,
  });

  return {
    vars,
    environment: () => environment(""),
    async shouldSkip() {
      if (!step.if) return hasFailures(run.status.stepExecutionMetadata ?? []);
      const value = await expressions.evaluateTemplate(step.if, await scope(step.if));
      if (typeof value !== "boolean") {
        throw new Error(`expression must evaluate to a boolean, got ${goType(value)}`);
      }
      return !value;
    },
    async config() {
      if (step.config === undefined) return {};
      const evaluated = await expressions.evaluateJsonTemplate(
        step.config,
        await scope(JSON.stringify(step.config)),
      );
      return evaluated as Record<string, unknown>;
    },
    async items() {
      const items = step.forEach?.items ?? [];
      const evaluated = await expressions.evaluateJsonTemplate(items, await scope(JSON.stringify(items)));
      if (!Array.isArray(evaluated)) throw new Error(`forEach needs a list, got ${goType(evaluated)}`);
      if (evaluated.length > mostItems) {
        throw new Error(`forEach is for at most ${mostItems} items, got ${evaluated.length}`);
      }
      return evaluated;
    },
  };
}

/** The promotion's variables cannot see outputs, a step's own can; each sees those in front of it. */
async function evaluateVars(
  expressions: Expressions,
  functions: HostFunctions,
  run: PromotionRun,
  step: RunStep,
): Promise<Record<string, unknown>> {
  const vars: Record<string, unknown> = {};
  const promotionEnv = promotionContext(run, step.as ?? "");
  const evaluate = async (name: string, value: string, env: Record<string, unknown>) => {
    try {
      vars[name] = await expressions.evaluateTemplate(value, { env: { ...env, vars }, functions });
    } catch (error) {
      throw new Error(`error pre-processing promotion variable "${name}": ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
  for (const { name, value } of run.vars) await evaluate(name, value, promotionEnv);
  Object.assign(vars, step.each);
  for (const { name, value } of step.vars ?? [])
    await evaluate(name, value, stepEnvironment(run, step, value));
  return vars;
}

function stepEnvironment(run: PromotionRun, step: PromotionStep, text: string): Record<string, unknown> {
  const env: Record<string, unknown> = promotionContext(run, step.as ?? "");
  env.outputs = run.outputs;
  const task = taskOutputs(step.as ?? "", run.outputs);
  if (task !== undefined) env.task = { outputs: task };
  // Kargo's own, undocumented; it grows with the promotion, so only those who ask for it pay for it.
  if (text.includes("stepMetas")) env.stepMetas = stepMetas(run.status.stepExecutionMetadata ?? []);
  return env;
}

/** What the other steps of the same task put out, under their short names; undefined for a step of no task. */
export function taskOutputs(
  alias: string,
  outputs: Record<string, unknown>,
): Record<string, unknown> | undefined {
  const { task } = splitAlias(alias);
  if (task === undefined) return undefined;
  const own: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(outputs)) {
    const { task: owner, step } = splitAlias(key);
    if (owner === task) own[step] = value;
  }
  return own;
}

function stepMetas(records: readonly StepExecutionMetadata[]): Record<string, unknown> {
  return Object.fromEntries(
    records.map(({ alias, status, message, errorCount, continueOnError }) => [
      alias,
      {
        Alias: alias,
        Status: status ?? "",
        Message: message ?? "",
        ErrorCount: errorCount ?? 0,
        ContinueOnError: continueOnError ?? false,
      },
    ]),
  );
}

/** The name by which Kargo's users know the type of a value from its messages. */
function goType(value: unknown): string {
  if (value === null || value === undefined) return "<nil>";
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "number":
      return "float64";
    case "object":
      return "map[string]interface {}";
    default:
      return typeof value;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
