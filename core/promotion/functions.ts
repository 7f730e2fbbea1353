import type { Masker } from "#core/credentials/masker.ts";
import type { HostFunction } from "#core/expressions/expressions.ts";
import { splitAlias } from "#core/promotion/alias.ts";
import { hasFailures } from "#core/promotion/conditions.ts";
import type { StepFunctions } from "#core/promotion/evaluate.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";
import type { Store } from "#core/store/store.ts";

export function createStepFunctions(
  _store: Store,
  _masker: Masker,
): (run: PromotionRun, step: PromotionStep) => StepFunctions {
  return (run, step) => {
    const records = () => run.status.stepExecutionMetadata ?? [];
    const fn = (arity: number, call: HostFunction["call"]): HostFunction => ({
      minArgs: arity,
      maxArgs: arity,
      call,
    });
    return {
      forVars: {},
      forStep: {
        always: fn(0, () => true),
        failure: fn(0, () => hasFailures(records())),
        success: fn(0, () => !hasFailures(records())),
        status: fn(1, ([alias]) => {
          const { task } = splitAlias(step.as ?? "");
          const wanted = task === undefined ? alias : `${task}::${alias}`;
          return records().find((record) => record.alias === wanted)?.status ?? "";
        }),
      },
    };
  };
}
