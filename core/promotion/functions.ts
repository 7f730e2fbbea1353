import type { Masker } from "#core/credentials/masker.ts";
import type { HostFunctions } from "#core/expressions/expressions.ts";
import { dataFunctions, freightFunctions, utilityFunctions } from "#core/expressions/kargo-functions.ts";
import { bool, type Nature, signature, string } from "#core/expressions/natures.ts";
import { splitAlias } from "#core/promotion/alias.ts";
import { hasFailures } from "#core/promotion/conditions.ts";
import type { StepFunctions } from "#core/promotion/evaluate.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import type { PromotionStep, StepExecutionMetadata } from "#core/resources/promotion.ts";
import type { Store } from "#core/store/store.ts";

/** Makes Kargo's functions for the expressions of a step; what Secrets they read goes to the masker. */
export function createStepFunctions(
  store: Pick<Store, "get">,
  masker: Pick<Masker, "add">,
): (run: PromotionRun, step: PromotionStep) => StepFunctions {
  return (run, step) => {
    const forVars = {
      ...dataFunctions(store, { project: run.project, mask: (secret) => masker.add(secret) }),
      ...freightFunctions(store, run),
      ...utilityFunctions,
    };
    const records = () => run.status.stepExecutionMetadata ?? [];
    return { forVars, forStep: { ...forVars, ...statusFunctions(step.as ?? "", records) } };
  };
}

/** `always`, `failure`, `success` and `status`, as the step of this alias sees those before it. */
function statusFunctions(alias: string, records: () => readonly StepExecutionMetadata[]): HostFunctions {
  const fn = (params: Nature[], result: Nature, call: (...args: unknown[]) => unknown) => ({
    minArgs: params.length,
    maxArgs: params.length,
    signatures: [signature(params, result)],
    call: (args: readonly unknown[]) => call(...args),
  });
  return {
    always: fn([], bool, () => true),
    failure: fn([], bool, () => hasFailures(records())),
    success: fn([], bool, () => !hasFailures(records())),
    status: fn([string], string, (wanted) => {
      if (wanted === "") throw new Error("argument must not be empty");
      const { task } = splitAlias(alias);
      const full = task === undefined ? wanted : `${task}::${wanted}`;
      return records().find((record) => record.alias === full)?.status ?? "";
    }),
  };
}
