import { UserError } from "#core/failure.ts";
import { aliasSeparator, loopAlias, stepAlias } from "#core/promotion/alias.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";

type Variable = NonNullable<PromotionStep["vars"]>[number];

export type TaskKind = "PromotionTask" | "ClusterPromotionTask";

/** What a promotion needs to know of a task. */
export interface TaskSpec {
  vars?: readonly Variable[];
  steps: readonly PromotionStep[];
}

/** Looks a task up: a PromotionTask in the promotion's project, a ClusterPromotionTask anywhere. */
export type FindTask = (kind: TaskKind, name: string) => Promise<TaskSpec | undefined>;

/**
 * The steps that are to be run: each with its alias, and in place of a reference to a task the task's
 * own steps, under aliases `<task>::<step>` and with the task's variables in front of their own.
 *
 * Throws a UserError when a task is not there or lacks a value for one of its variables.
 */
export async function inflateSteps(
  steps: readonly PromotionStep[],
  promotionVars: readonly Variable[],
  findTask: FindTask,
): Promise<PromotionStep[]> {
  const inflated: PromotionStep[] = [];
  for (const [index, step] of steps.entries()) {
    if (step.task === undefined) {
      inflated.push({ ...step, as: stepAlias(step, index) });
    } else {
      inflated.push(...(await inflateTask(step, stepAlias(step, index), promotionVars, findTask)));
    }
  }
  return inflated;
}

async function inflateTask(
  reference: PromotionStep,
  alias: string,
  promotionVars: readonly Variable[],
  findTask: FindTask,
): Promise<PromotionStep[]> {
  const name = reference.task?.name ?? "";
  const context = `Cannot inflate task steps for task "${name}" ("${alias}")`;
  const task = await getTask(reference.task, findTask, context);
  const vars = taskVariables(task.vars ?? [], promotionVars, reference.vars ?? [], context);
  const { forEach } = reference;
  if (forEach !== undefined && task.steps.some((step) => step.forEach !== undefined)) {
    throw new UserError(`${context}: a task with a step that has forEach cannot be run with forEach itself`);
  }
  const owner = forEach === undefined ? alias : loopAlias(alias);
  return task.steps.map((step, index) => ({
    ...step,
    as: `${owner}${aliasSeparator}${stepAlias(step, index)}`,
    vars: [...vars, ...(step.vars ?? [])],
    ...(forEach === undefined ? {} : { forEach }),
  }));
}

async function getTask(
  reference: PromotionStep["task"],
  findTask: FindTask,
  context: string,
): Promise<TaskSpec> {
  const kind: string = reference?.kind || "PromotionTask";
  if (kind !== "PromotionTask" && kind !== "ClusterPromotionTask") {
    throw new UserError(`${context}: unknown task reference kind "${kind}"`, {
      hint: 'A task is a "PromotionTask" or a "ClusterPromotionTask".',
    });
  }
  const task = await findTask(kind, reference?.name ?? "");
  if (task === undefined) {
    throw new UserError(`${context}: ${kind} "${reference?.name}" not found`, { status: 404 });
  }
  return task;
}

/**
 * What each step of a task is given: the task's defaults, then what the referring step says, so that the
 * latter wins. A variable that the promotion itself sets is left to it: promotion variables are in every
 * step's reach already, and a default in front of the step would hide them.
 */
function taskVariables(
  taskVars: readonly Variable[],
  promotionVars: readonly Variable[],
  stepVars: readonly Variable[],
  context: string,
): Variable[] {
  const setByPromotion = namesWithValue(promotionVars);
  const setByStep = namesWithValue(stepVars);
  const defaults: Variable[] = [];
  for (const variable of taskVars) {
    if (setByPromotion.has(variable.name)) continue;
    if (variable.value) defaults.push(variable);
    else if (!setByStep.has(variable.name)) {
      throw new UserError(`${context}: missing value for variable "${variable.name}"`, {
        hint: `Give it in the step's vars, or in those of the promotion template.`,
      });
    }
  }
  return [...defaults, ...stepVars];
}

function namesWithValue(variables: readonly Variable[]): Set<string> {
  return new Set(variables.filter(({ value }) => Boolean(value)).map(({ name }) => name));
}
