import type { Expressions } from "#core/expressions/expressions.ts";
import { evaluateStep, type StepFunctions } from "#core/promotion/evaluate.ts";
import { toInvocation } from "#core/promotion/invocation.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";
import type { StepKinds } from "#core/runner.ts";

/** What expressions know only once the steps before have ended. */
const later = /\b(outputs|task|stepMetas|status|success|failure|always)\b/;

/**
 * Tells the runner of a step that it is probably next, while the step before it runs. A step whose configuration,
 * or whether it is run, depends on earlier ones is not told: what it will be is not known yet.
 */
export async function lookAhead(
  run: PromotionRun,
  step: PromotionStep | undefined,
  services: {
    kinds: StepKinds;
    expressions: Expressions;
    functionsFor(run: PromotionRun, step: PromotionStep): StepFunctions;
  },
  signal: AbortSignal,
): Promise<void> {
  if (step === undefined || step.if || later.test(JSON.stringify([step.config, step.vars]))) return;
  try {
    const kind = await services.kinds.find(step.uses ?? "");
    if (kind?.runner.prepare === undefined) return;
    const evaluation = evaluateStep(services.expressions, services.functionsFor(run, step), run, step);
    const config = await evaluation.config();
    const vars = await evaluation.vars();
    if (signal.aborted) return;
    await kind.runner.prepare(toInvocation(run, step, { alias: step.as }, { config, vars, tries: 0 }));
  } catch {
    // Whatever is wrong with the step is told when it is its turn.
  }
}
