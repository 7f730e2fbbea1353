import { toStepFailure } from "#core/failure.ts";
import { loopAlias } from "#core/promotion/alias.ts";
import { attempt } from "#core/promotion/attempt.ts";
import type { EngineServices } from "#core/promotion/engine.ts";
import { evaluateStep } from "#core/promotion/evaluate.ts";
import { toInvocation } from "#core/promotion/invocation.ts";
import { type Loop, lanesOf, loopAt } from "#core/promotion/loops.ts";
import type { PromotionRun, RunStep } from "#core/promotion/run.ts";
import type { PromotionStep } from "#core/resources/promotion.ts";

type Services = Pick<EngineServices, "kinds" | "expressions" | "functionsFor" | "openLog">;

/** What one step gets; whoever aborts a promotion should not wait long. */
const secondsForEach = 20;

/**
 * Has the steps of an aborted promotion take back what must not stay, the last one first. What cannot be taken
 * back is told in the step's log, and does not keep the promotion from ending.
 */
export async function takeBack(run: PromotionRun, services: Services, signal: AbortSignal): Promise<void> {
  for (const step of (await begunSteps(run, services)).reverse()) {
    if (signal.aborted) return;
    const kind = await services.kinds.find(step.uses ?? "");
    const { takeBack: work } = kind?.runner ?? {};
    if (!kind?.takesBack || work === undefined) continue;
    const log = services.openLog({ project: run.project, promotion: run.promotion, step: step.as ?? "" });
    try {
      const evaluation = evaluateStep(services.expressions, services.functionsFor(run, step), run, step);
      const evaluated = { config: await evaluation.config(), vars: await evaluation.vars(), tries: 0 };
      const record = run.status.stepExecutionMetadata?.find(({ alias }) => alias === step.as) ?? {};
      const invocation = toInvocation(run, step, record, evaluated);
      const done = async (workSignal: AbortSignal) => {
        await work(invocation, { signal: workSignal, log: (line) => log.write(line) });
        return { status: "succeeded", output: {} } as const;
      };
      const limits = { signal, millisecondsLeft: secondsForEach * 1_000, graceMilliseconds: 0 };
      const result = await attempt(done, limits);
      if (result.end === "failure") throw result.failure;
      if (result.end !== "outcome") throw new Error(`it took longer than ${secondsForEach} s`);
    } catch (error) {
      if (signal.aborted) return;
      const text = `Cannot take back what the step did: ${toStepFailure(error).message}`;
      log.write({ stream: "stderr", text: run.mask(text) });
    } finally {
      await log.close();
    }
  }
}

/** Of a loop, its steps for each of its items. */
async function begunSteps(run: PromotionRun, services: Services): Promise<RunStep[]> {
  const begun = new Set(
    run.status.stepExecutionMetadata?.flatMap(({ alias, startedAt }) => (startedAt ? (alias ?? "") : [])),
  );
  const all: RunStep[] = [];
  for (let index = 0; index < run.steps.length; index += 1) {
    const loop = loopAt(run.steps, index);
    if (loop === undefined) {
      all.push(run.steps[index] as PromotionStep);
      continue;
    }
    all.push(...lanesOf(loop, await itemsOf(run, loop, services)).flat());
    index += loop.steps.length - 1;
  }
  return all.filter((step) => begun.has(step.as ?? ""));
}

/** A loop's list is kept while it goes on; afterwards it is made again, if it still can be. */
async function itemsOf(run: PromotionRun, loop: Loop, services: Services): Promise<unknown[]> {
  const kept = run.outputs[loopAlias(loop.alias)];
  if (Array.isArray(kept)) return kept;
  const step = { ...loop.steps[0], vars: [] };
  try {
    return await evaluateStep(services.expressions, services.functionsFor(run, step), run, step).items();
  } catch {
    return [];
  }
}
