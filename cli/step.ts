import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import {
  contextFreight,
  contextRequests,
  contextResources,
  type LocalContext,
  parseContext,
} from "#cli/local-context.ts";
import type { LocalTools, LocalWorld } from "#cli/local-services.ts";
import { configProblems } from "#core/config-problems.ts";
import { toStepFailure } from "#core/failure.ts";
import { evaluateStep } from "#core/promotion/evaluate.ts";
import { collect, toReference } from "#core/promotion/freight-collection.ts";
import { toInvocation } from "#core/promotion/invocation.ts";
import { keys } from "#core/promotion/keys.ts";
import { openRun } from "#core/promotion/open-run.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import { unknownKindMessage } from "#core/promotion/unknown-kind.ts";
import { countingIssues } from "#core/resources/checks/step-config.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion, PromotionStep } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import type { HealthCheck, Outcome } from "#core/step.ts";
import { builtinSteps } from "#steps/index.ts";

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
export function checkStep({ step, config }: Pick<StepCase, "step" | "config">): StepCheck {
  const definition = builtinSteps.find(({ name }) => name === step);
  if (definition === undefined) {
    return {
      valid: false,
      problems: [
        unknownKindMessage(
          step,
          builtinSteps.map(({ name }) => name),
        ),
      ],
    };
  }
  const problems = configProblems(countingIssues(definition.config, config), config);
  return { valid: problems.length === 0, problems };
}

/** Makes one attempt at one step, as a promotion would. Only what the user gave in a wrong form is thrown. */
export async function runStep(tools: LocalTools, one: StepCase, options: StepOptions): Promise<StepResult> {
  const context = parseContext(one.context);
  const workspace = resolve(one.workdir);
  await mkdir(workspace, { recursive: true });
  const world = await tools.openWorld(worldOf(context, one));
  try {
    const step: PromotionStep = { uses: one.step, as: context.alias, config: one.config };
    const run = await openContextRun(world, context, workspace);
    return await attempt(world, run, step, knownVars(context), options);
  } finally {
    await world.close();
  }
}

/** Everything that the context tells of, as the resources that a daemon would have. */
function worldOf(context: LocalContext, one: StepCase): Resource[] {
  const apiVersion = "kargo.akuity.io/v1alpha1";
  const { project: namespace, stage, promotion } = context;
  const freight = contextFreight(context);
  const references = freight.map(({ resource }) => toReference(resource as Freight));
  const given = contextResources(context);
  const isGiven = (kind: string, name: string) =>
    given.some((resource) => resource.kind === kind && resource.metadata.name === name);
  const promotionResource: Promotion = {
    apiVersion,
    kind: "Promotion",
    metadata: {
      name: promotion,
      namespace,
      annotations: {
        ...(context.actor === "" ? {} : { [keys.createActor]: context.actor }),
        ...(context.rollback ? { [keys.rollback]: "true" } : {}),
      },
    },
    spec: {
      stage,
      freight: references[0]?.name,
      vars: Array.isArray(context.vars)
        ? context.vars.map(({ name, value }) => ({ name, value: String(value) }))
        : [],
      steps: [{ uses: one.step, as: context.alias }],
    },
    status: {
      phase: "Running",
      freight: references[0],
      freightCollection: collect(references.toReversed()),
      state: context.outputs,
    },
  };
  const stageResource = {
    apiVersion,
    kind: "Stage",
    metadata: { name: stage, namespace },
    spec: { requestedFreight: contextRequests(context, freight) },
  };
  return [
    ...given,
    ...freight.filter(({ resource }) => resource.metadata.name !== "").map(({ resource }) => resource),
    ...(isGiven("Stage", stage) ? [] : [stageResource]),
    promotionResource,
  ];
}

async function openContextRun(
  world: LocalWorld,
  context: LocalContext,
  workspace: string,
): Promise<PromotionRun> {
  const { project, promotion } = context;
  const stored = await world.store.get({ kind: "Promotion", project, name: promotion });
  const freight = contextFreight(context);
  return await openRun(world.store, world.masker, {
    promotion: stored as Promotion,
    freight: freight[0]?.resource as Freight | undefined,
    freightRequests: contextRequests(context, freight) as unknown as FreightRequest[],
    workspace,
    uiBaseUrl: context.uiBaseUrl,
  });
}

/** Values by name are what they are; a list is evaluated as a promotion's variables. */
function knownVars({ vars }: LocalContext): Record<string, unknown> | undefined {
  return Array.isArray(vars) ? undefined : vars;
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
