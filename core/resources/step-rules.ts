import type { FieldError } from "#core/resources/field-error.ts";
import type { Path } from "#core/resources/path.ts";
import type { PromotionStep } from "#core/resources/promotion-step.ts";

/** Aliases that steps and tasks without a name of their own go by. */
export const reservedAlias = /^(?:step|task)-\d+$/;

/** Where a list of steps stands decides what its steps may say. */
export type StepsOf = "template" | "task" | "promotion";

/** Kargo's rules for the steps of a promotion template, a task or a promotion. */
export function stepErrors(steps: readonly PromotionStep[], of: StepsOf, path: Path): FieldError[] {
  return [
    ...steps.flatMap((step, index) => shapeErrors(step, of, [...path, index])),
    ...(of === "promotion" ? [] : aliasErrors(steps, path)),
  ];
}

function shapeErrors(step: PromotionStep, of: StepsOf, path: Path): FieldError[] {
  if (of !== "template" && step.task !== undefined) {
    const place = of === "task" ? "a step of a task" : "a step of a promotion";
    return [{ path: [...path, "task"], message: `${place} cannot name a task; give "uses"` }];
  }
  if (step.task === undefined && step.uses === undefined) {
    const expected = of === "template" ? '"uses" or "task"' : '"uses"';
    return [{ path, message: `the step says nothing to do; give ${expected}` }];
  }
  const { items } = step.forEach ?? {};
  if (typeof items === "string" && !items.includes("${{")) {
    const message = 'expected a list, or an expression that gives one, such as "${{ outputs.find.regions }}"';
    return [{ path: [...path, "forEach", "items"], message }];
  }
  if (step.task === undefined) return [];
  if (step.uses !== undefined) {
    return [{ path: [...path, "task"], message: 'a step has either "uses" or "task", not both' }];
  }
  const refused = (["continueOnError", "retry", "if", "config"] as const).filter(
    (key) => step[key] !== undefined,
  );
  return refused.map((key) => ({
    path: [...path, key],
    message: `a step that names a task cannot have "${key}"; the task's own steps may`,
  }));
}

function aliasErrors(steps: readonly PromotionStep[], path: Path): FieldError[] {
  const firstByAlias = new Map<string, number>();
  return steps.flatMap(({ as = "" }, index) => {
    const alias = as.trim();
    if (alias === "") return [];
    const at = [...path, index, "as"];
    const errors: FieldError[] = [];
    const first = firstByAlias.get(alias);
    if (first === undefined) firstByAlias.set(alias, index);
    else errors.push({ path: at, message: `the alias "${alias}" is taken by step ${first + 1} already` });
    if (reservedAlias.test(alias)) {
      errors.push({ path: at, message: `the alias "${alias}" is reserved for steps without a name` });
    }
    return errors;
  });
}
