import type { PromotionStep } from "#core/resources/promotion.ts";

/** Stands between the alias of a task and the alias of a step of that task. */
export const aliasSeparator = "::";

/** The name a step goes by: what its author gave it, or its place in the list. */
export function stepAlias(step: Pick<PromotionStep, "as" | "task">, index: number): string {
  if (step.as) return step.as;
  return `${step.task === undefined ? "step" : "task"}-${index + 1}`;
}

/** `deploy::apply` stands in the task `deploy`; a step of the promotion itself stands in none. */
export function splitAlias(alias: string): { task: string | undefined; step: string } {
  const parts = alias.split(aliasSeparator);
  return parts.length === 2 && parts[0]
    ? { task: parts[0], step: parts[1] ?? "" }
    : { task: undefined, step: alias };
}

/** What a task goes by whose steps are run for each item of a list, and what its list is kept under: `deploy[]`. */
export function loopAlias(alias: string): string {
  return `${alias}[]`;
}

/** What a step goes by for one item: `update[0]`, or `deploy[0]::apply` where the whole task is run for each. */
export function itemAlias(alias: string, index: number): string {
  const { task, step } = splitAlias(alias);
  return task?.endsWith("[]")
    ? `${task.slice(0, -2)}[${index}]${aliasSeparator}${step}`
    : `${alias}[${index}]`;
}

/** The step that a record is of: several are of one that is run for each item of a list. */
export function stepOf<Step extends Pick<PromotionStep, "as" | "task">>(
  steps: readonly Step[],
  alias: string,
): Step | undefined {
  const names = new Set([alias, alias.replace(/\[\d+\]$/, ""), alias.replace(/\[\d+\](?=::)/, "[]")]);
  return steps.find((step, index) => names.has(stepAlias(step, index)));
}
