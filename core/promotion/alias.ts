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
