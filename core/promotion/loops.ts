import { itemAlias, loopAlias, splitAlias } from "#core/promotion/alias.ts";
import { hasFailures } from "#core/promotion/conditions.ts";
import type { StepEvaluation } from "#core/promotion/evaluate.ts";
import type { Progress } from "#core/promotion/progress.ts";
import { type PromotionRun, type RunStep, recordOf } from "#core/promotion/run.ts";
import { setStatus } from "#core/promotion/settle.ts";
import type { ForEach, PromotionStep } from "#core/resources/promotion.ts";

/** Steps that are run for each item of a list: one, or all of a task. */
export interface Loop {
  /** Its output is the list of what came of the items. */
  alias: string;
  steps: readonly PromotionStep[];
  forEach: ForEach;
}

/** What a loop needs of the engine. */
export interface LoopServices {
  evaluate(step: PromotionStep): Pick<StepEvaluation, "items">;
  /** Runs one step as far as it goes; undefined when it is over. */
  advanceStep(step: RunStep): Promise<Progress | undefined>;
  /** Bytes of JSON that the list of items may have, and that of outputs. */
  maxOutputBytes: number;
}

/** The loop that begins with this step; undefined when none does. */
export function loopAt(steps: readonly PromotionStep[], index: number): Loop | undefined {
  const { as = "", forEach } = steps[index] ?? {};
  if (forEach === undefined) return undefined;
  const { task } = splitAlias(as);
  if (!task?.endsWith("[]")) return { alias: as, steps: steps.slice(index, index + 1), forEach };
  const own = steps.slice(index).findIndex((step) => splitAlias(step.as ?? "").task !== task);
  return {
    alias: task.slice(0, -"[]".length),
    steps: own === -1 ? steps.slice(index) : steps.slice(index, index + own),
    forEach,
  };
}

/** The steps of a loop for each item of its list. */
export function lanesOf({ steps, forEach: { as = "item" } }: Loop, items: readonly unknown[]): RunStep[][] {
  return items.map((item, index) =>
    steps.map((step) => ({
      ...step,
      as: itemAlias(step.as ?? "", index),
      forEach: undefined,
      each: { [as]: item, [`${as}Index`]: index },
    })),
  );
}

/**
 * Runs a loop as far as it goes; undefined when it is over. Its list is fixed and on disk before the first item's
 * step starts: whoever takes up the promotion later goes on with the same items.
 */
export async function advanceLoop(
  run: PromotionRun,
  loop: Loop,
  services: LoopServices,
): Promise<Progress | undefined> {
  const listKey = loopAlias(loop.alias);
  const kept = run.outputs[listKey];
  const items = Array.isArray(kept) ? kept : await beginLoop(run, loop, services);
  if (items === undefined) return undefined;

  const { concurrency = 1 } = loop.forEach;
  const progress = await advanceLanes(lanesOf(loop, items), concurrency, services.advanceStep);
  if (progress !== undefined) return progress;

  const itemKeys = items.map((_, index) => `${loop.alias}[${index}]`);
  const list = itemKeys.map((key) => run.outputs[key] ?? null);
  const bytes = Buffer.byteLength(JSON.stringify(list));
  if (bytes > services.maxOutputBytes) {
    const what = `${bytes} bytes are more than the ${services.maxOutputBytes} allowed`;
    endWithout(run, loop, "Errored", `Cannot keep the outputs of "${loop.alias}": ${what}`);
  }
  run.keepList(loop.alias, bytes > services.maxOutputBytes ? [] : list, [listKey, ...itemKeys]);
  return undefined;
}

/** Finds out what the items are; undefined when nothing is to be run: the records say why. */
async function beginLoop(
  run: PromotionRun,
  loop: Loop,
  { evaluate, maxOutputBytes }: LoopServices,
): Promise<unknown[] | undefined> {
  const isForFailures = loop.steps.some((step) => step.if);
  if (!isForFailures && hasFailures(run.status.stepExecutionMetadata ?? [])) {
    endWithout(run, loop, "Skipped");
    return undefined;
  }
  let items: unknown[];
  try {
    // The steps' own variables may be made of the item, which is not there yet.
    items = await evaluate({ ...loop.steps[0], vars: [] }).items();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    endWithout(run, loop, "Errored", `Cannot tell what to run "${loop.alias}" for: ${run.mask(why)}`);
    return undefined;
  }
  const bytes = Buffer.byteLength(JSON.stringify(items));
  if (bytes > maxOutputBytes) {
    const what = `${bytes} bytes are more than the ${maxOutputBytes} allowed`;
    endWithout(run, loop, "Errored", `Cannot keep the list of "${loop.alias}": ${what}`);
    return undefined;
  }
  if (items.length === 0) {
    endWithout(run, loop, "Skipped", "the list is empty");
    run.keepList(loop.alias, []);
    return undefined;
  }
  run.keepList(loopAlias(loop.alias), items);
  await run.save();
  return items;
}

/** Records of the steps themselves, in place of those for their items. */
function endWithout(run: PromotionRun, loop: Loop, status: "Skipped" | "Errored", message?: string): void {
  for (const step of status === "Errored" ? loop.steps.slice(0, 1) : loop.steps) {
    setStatus(recordOf(run.status, step), status, message);
  }
}

/** Takes lanes up in order, so many at once; one that waits keeps its place. */
async function advanceLanes(
  lanes: readonly (readonly RunStep[])[],
  concurrency: number,
  advanceStep: LoopServices["advanceStep"],
): Promise<Progress | undefined> {
  const queue = lanes.values();
  const stops: Progress[] = [];

  async function work(): Promise<void> {
    for (const lane of queue) {
      const stop = await advanceLane(lane, advanceStep);
      if (stop === undefined) continue;
      stops.push(stop);
      return;
    }
  }

  const workers = await Promise.allSettled(Array.from({ length: concurrency }, work));
  const broken = workers.find((worker) => worker.status === "rejected");
  if (broken !== undefined) throw broken.reason;
  if (stops.some(({ state }) => state === "interrupted")) return { state: "interrupted" };
  const pauses = stops.map((stop) => (stop.state === "waiting" ? stop.retryInSeconds : 0));
  return pauses.length === 0 ? undefined : { state: "waiting", retryInSeconds: Math.min(...pauses) };
}

async function advanceLane(
  lane: readonly RunStep[],
  advanceStep: LoopServices["advanceStep"],
): Promise<Progress | undefined> {
  for (const step of lane) {
    const stop = await advanceStep(step);
    if (stop !== undefined) return stop;
  }
  return undefined;
}
