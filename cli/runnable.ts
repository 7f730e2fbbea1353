import { statSync } from "node:fs";
import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { didYouMean } from "#core/nearest-name.ts";
import { inflateSteps } from "#core/promotion/inflate.ts";
import { promotionName } from "#core/promotion/name.ts";
import { checkResources, type KnownStep } from "#core/resources/check.ts";
import { ExpressionVariable } from "#core/resources/expression-variable.ts";
import { loadResources, type Source } from "#core/resources/load.ts";
import type { Problem } from "#core/resources/problem.ts";
import type { Promotion, PromotionStep } from "#core/resources/promotion.ts";
import { PromotionStep as PromotionStepSchema } from "#core/resources/promotion-step.ts";
import type { PromotionTask } from "#core/resources/promotion-task.ts";
import type { Resource } from "#core/resources/resource.ts";
import { readSources } from "#core/resources/sources.ts";
import { readYaml } from "#core/resources/yaml-document.ts";

/** A promotion that needs no stage to be made from, and the resources it may look up. */
export interface Runnable {
  promotion: Promotion;
  resources: Resource[];
}

const StepList = z.strictObject({
  vars: z.array(ExpressionVariable).optional(),
  steps: z.array(PromotionStepSchema).min(1),
});

const defaultProject = "default";

/**
 * Makes something to run of a file: a PromotionTask or ClusterPromotionTask, a list of steps, or an object
 * with `steps` and `vars`. Throws a UserError that says what is wrong with the files, and where.
 */
export async function readRunnable(
  file: string,
  moreFiles: readonly string[],
  vars: readonly { name: string; value: string }[],
  steps: readonly KnownStep[],
  stdin?: AsyncIterable<Uint8Array | string>,
): Promise<Runnable> {
  const [main, ...rest] = await read([file], stdin);
  const more = load(await read(moreFiles, stdin), steps);
  if (main === undefined) throw new UserError(`Cannot run "${file}": it is empty`);
  const list = stepListIn(main);
  if (list !== undefined) {
    const promotionVars = [...(list.vars ?? []), ...vars];
    return toRunnable(list.steps, promotionVars, more);
  }
  const resources = [...load([main, ...rest], steps), ...more];
  const task = theTaskOf(file, resources);
  refuseUnknownVariables(task, vars);
  const kind = task.kind as "PromotionTask" | "ClusterPromotionTask";
  const { name } = task.metadata;
  return toRunnable([{ task: { name, kind }, as: name, vars: [...vars] }], [], resources);
}

function theTaskOf(file: string, resources: readonly Resource[]): PromotionTask {
  const tasks = resources.filter(({ kind }) => kind === "PromotionTask" || kind === "ClusterPromotionTask");
  const [task, ...others] = tasks as PromotionTask[];
  if (task === undefined) {
    throw new UserError(`Cannot run "${file}": there is neither a PromotionTask nor a list of steps in it`, {
      hint: "A list of steps is what stands under `steps:` of a promotion template.",
    });
  }
  if (others.length > 0 && statSync(file, { throwIfNoEntry: false })?.isDirectory()) {
    const names = [task, ...others].map(({ metadata }) => metadata.name).join(", ");
    throw new UserError(`Cannot run "${file}": it holds several tasks: ${names}`, {
      hint: "name the file of the one to run, and give the folder with -f for what it uses",
    });
  }
  return task;
}

function refuseUnknownVariables({ metadata, spec }: PromotionTask, vars: readonly { name: string }[]): void {
  const known = (spec.vars ?? []).map(({ name }) => name);
  for (const { name } of vars) {
    if (known.includes(name)) continue;
    const advice = didYouMean(name, known) || (known.length > 0 ? `; it has ${known.join(", ")}` : "");
    throw new UserError(
      `Cannot set variable "${name}": the task "${metadata.name}" has no such one${advice}`,
    );
  }
}

async function toRunnable(
  steps: readonly PromotionStep[],
  vars: readonly { name: string; value: string }[],
  resources: Resource[],
): Promise<Runnable> {
  const stage = resources.find(({ kind }) => kind === "Stage")?.metadata.name ?? "local";
  const project = resources.find(({ metadata }) => metadata.namespace)?.metadata.namespace ?? defaultProject;
  const inflated = await inflateSteps(steps, vars, async (kind, name) => {
    const task = resources.find((one) => one.kind === kind && one.metadata.name === name);
    return (task as PromotionTask | undefined)?.spec;
  });
  const promotion: Promotion = {
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "Promotion",
    metadata: { name: promotionName(stage, "local"), namespace: project },
    spec: { stage, vars: [...vars], steps: inflated },
  };
  return { promotion, resources };
}

async function read(files: readonly string[], stdin?: AsyncIterable<Uint8Array | string>): Promise<Source[]> {
  const { sources, problems } = await readSources(files, stdin);
  refuse(problems);
  return sources;
}

function load(sources: readonly Source[], steps: readonly KnownStep[]): Resource[] {
  const { resources, problems } = loadResources(sources, { defaultProject });
  const checks = checkResources(resources, { steps });
  refuse([...problems, ...checks]);
  return resources.map(({ resource }) => resource);
}

/** The list of steps that a file is; undefined when it is something else. */
function stepListIn({ file, text }: Source): z.infer<typeof StepList> | undefined {
  const [document] = readYaml(text);
  const value = document?.value;
  const isList = Array.isArray(value);
  const isObject = typeof value === "object" && value !== null && "steps" in value && !("kind" in value);
  if (document === undefined || !(isList || isObject)) return undefined;
  const parsed = StepList.safeParse(isList ? { steps: value } : value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []) as (string | number)[];
  const { line, column } = document.locate(isList ? path.slice(1) : path);
  throw new UserError(`${file}:${line}:${column}: ${path.join(".")}: ${issue?.message}`);
}

function refuse(problems: readonly Problem[]): void {
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return;
  const lines = errors.map(({ file, line, column, path, message }) => {
    const place = line === 0 ? file : `${file}:${line}:${column}`;
    return `${place}: ${path === "" ? "" : `${path}: `}${message}`;
  });
  throw new UserError(lines.join("\n"));
}
