import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import { contextVars, openContextRun, worldOf } from "#cli/context-run.ts";
import { parseContext } from "#cli/local-context.ts";
import type { LocalTools, LocalWorld } from "#cli/local-services.ts";
import { configProblems } from "#core/config-problems.ts";
import { toStepFailure } from "#core/failure.ts";
import { evaluateStep } from "#core/promotion/evaluate.ts";
import { toInvocation } from "#core/promotion/invocation.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import { unknownKindMessage } from "#core/promotion/unknown-kind.ts";
import { countingIssues } from "#core/resources/checks/step-config.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";
import type { HealthCheck, Outcome, StepDefinition } from "#core/step.ts";

/** One step to be run or checked. */
export interface StepCase {
  step: string;
  config: Record<string, unknown>;
  workdir: string;
  /** As the user gave it. */
  context?: unknown;
  check?: boolean;
}

export interface StepResult {
  status: "Succeeded" | "Skipped" | "Running" | "Failed" | "Errored";
  /** null where the step gave none. */
  output: Record<string, unknown> | null;
  message: string;
  healthCheck?: HealthCheck;
}

export interface StepCheck {
  valid: boolean;
  problems: string[];
}

export interface StepOptions {
  signal: AbortSignal;
  /** Hears the lines of the step's log, masked. */
  onLog?(text: string): void;
}

/** Says what is wrong with a step's configuration; expressions in it may turn into anything. */
export function checkStep(
  { step, config }: Pick<StepCase, "step" | "config">,
  steps: readonly StepDefinition[],
): StepCheck {
  const definition = steps.find(({ name }) => name === step);
  if (definition === undefined) {
    const names = steps.map(({ name }) => name);
    return { valid: false, problems: [unknownKindMessage(step, names)] };
  }
  const problems = configProblems(countingIssues(definition.config, config), config);
  return { valid: problems.length === 0, problems };
}

/** Makes one attempt at one step, as a promotion would. Only what the user gave in a wrong form is thrown. */
export async function runStep(tools: LocalTools, one: StepCase, options: StepOptions): Promise<StepResult> {
  const context = parseContext(one.context);
  const workspace = resolve(one.workdir);
  await mkdir(workspace, { recursive: true });
  const world = await tools.openWorld(worldOf(context));
  try {
    const step: PromotionStep = { uses: one.step, as: context.alias, config: one.config };
    const run = await openContextRun(world, context, workspace);
    return await attempt(world, run, step, contextVars(context), options);
  } finally {
    await world.close();
  }
}

async function attempt(
  world: LocalWorld,
  run: PromotionRun,
  step: PromotionStep,
  vars: Record<string, unknown> | undefined,
  { signal, onLog }: StepOptions,
): Promise<StepResult> {
  const uses = step.uses ?? "";
  const kind = await world.kinds.find(uses);
  if (kind === undefined) {
    return { status: "Errored", output: null, message: unknownKindMessage(uses, await world.kinds.names()) };
  }
  const evaluation = evaluateStep(world.expressions, world.functionsFor(run, step), run, step, vars);
  try {
    const evaluated = { config: await evaluation.config(), vars: await evaluation.vars(), tries: 0 };
    const record = { alias: step.as, startedAt: world.now().toISOString() };
    const outcome = await kind.runner.run(toInvocation(run, step, record, evaluated), {
      signal,
      log: ({ text }) => onLog?.(world.masker.mask(text)),
    });
    return toResult(outcome, run);
  } catch (error) {
    const failure = toStepFailure(error);
    return { status: failure.status, output: failure.output ?? null, message: run.mask(failure.message) };
  }
}

function toResult(outcome: Outcome, run: PromotionRun): StepResult {
  const statuses = { succeeded: "Succeeded", skipped: "Skipped", waiting: "Running" } as const;
  const result: StepResult = {
    status: statuses[outcome.status],
    output: outcome.output ?? null,
    message: run.mask(outcome.message ?? ""),
  };
  if (outcome.status === "succeeded" && outcome.healthCheck) result.healthCheck = outcome.healthCheck;
  return result;
}
