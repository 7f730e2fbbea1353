import type { PromotionRun } from "#core/promotion/run.ts";
import type { PromotionStep, StepExecutionMetadata } from "#core/resources/promotion.ts";
import type { Invocation } from "#core/runner.ts";

/** What a runner is given for one attempt. */
export function toInvocation(
  run: PromotionRun,
  step: PromotionStep,
  record: StepExecutionMetadata,
  evaluated: { config: Record<string, unknown>; vars: Record<string, unknown>; tries: number },
): Invocation {
  return {
    kind: step.uses ?? "",
    config: evaluated.config,
    project: run.project,
    stage: run.stage,
    promotion: run.promotion,
    promotionUid: run.uid,
    alias: step.as ?? "",
    attempt: (record.errorCount ?? 0) + evaluated.tries + 1,
    actor: run.actor,
    rollback: run.rollback,
    uiBaseUrl: run.uiBaseUrl,
    startedAt: record.startedAt ?? "",
    workspace: run.workspace,
    freight: run.freight,
    freightRequests: run.freightRequests,
    targetFreight: run.targetFreight,
    targetFreightAlias: run.targetFreightAlias,
    outputs: { ...run.outputs },
    vars: evaluated.vars,
  };
}

/** What `ctx` is made of; a run has it, and so has an invocation. */
export type ContextSource = Pick<
  Invocation,
  | "project"
  | "stage"
  | "promotion"
  | "actor"
  | "rollback"
  | "uiBaseUrl"
  | "targetFreight"
  | "targetFreightAlias"
>;

/** `ctx` as the expressions of one step see it. */
export function promotionContext(source: ContextSource, alias: string): { ctx: Record<string, unknown> } {
  return {
    ctx: {
      uiBaseUrl: source.uiBaseUrl,
      project: source.project,
      promotion: source.promotion,
      stage: source.stage,
      targetFreight: {
        name: source.targetFreight?.name ?? "",
        alias: source.targetFreightAlias,
        origin: { name: source.targetFreight?.origin.name ?? "" },
      },
      meta: {
        promotion: { actor: source.actor, rollback: source.rollback },
        step: { alias },
      },
    },
  };
}
