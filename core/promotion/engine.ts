import { countFrom, type Environment } from "#core/environment.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import { type AttemptResult, attempt } from "#core/promotion/attempt.ts";
import { evaluateStep, type StepFunctions } from "#core/promotion/evaluate.ts";
import { finalPhase } from "#core/promotion/final-phase.ts";
import { toInvocation } from "#core/promotion/invocation.ts";
import { lookAhead } from "#core/promotion/look-ahead.ts";
import { advanceLoop, loopAt } from "#core/promotion/loops.ts";
import { checkOutput, outputOf } from "#core/promotion/output.ts";
import type { Progress } from "#core/promotion/progress.ts";
import { type PromotionRun, type RunStep, recordOf } from "#core/promotion/run.ts";
import { millisecondsLeft, setStatus, settle } from "#core/promotion/settle.ts";
import { rulesOf, type StepRules } from "#core/promotion/step-rules.ts";
import { noTries, recallTries, rememberTries, type TransientTries } from "#core/promotion/transient-tries.ts";
import { unknownKindMessage } from "#core/promotion/unknown-kind.ts";
import type { PromotionStep, StepExecutionMetadata } from "#core/resources/promotion.ts";
import type { RunnerIO, RunnerLogLine, StepKind, StepKinds } from "#core/runner.ts";
import type { Outcome } from "#core/step.ts";
import type { LogKey, Store } from "#core/store/store.ts";

export interface EngineServices {
  kinds: StepKinds;
  expressions: Expressions;
  functionsFor(run: PromotionRun, step: PromotionStep): StepFunctions;
  store: Pick<Store, "journal">;
  openLog(key: LogKey): StepLogWriter;
  now(): Date;
  settings: EngineSettings;
  /** True once the daemon is about to stop: the step under way is given time, and none is started after it. */
  stopping?(): boolean;
}

export interface StepLogWriter {
  write(line: RunnerLogLine): void;
  /** When the last line of the stream that can be read was written. */
  lastAt(stream: RunnerLogLine["stream"]): Promise<string | undefined>;
  /** Resolves when all that was written can be read. */
  close(): Promise<void>;
}

export interface EngineSettings {
  /** Bytes of JSON that the output of one step may have. */
  maxOutputBytes: number;
  /** How long a step may take to end after it was told to. */
  graceSeconds: number;
  /** What an attempt gets that starts when the step's time is already up: one last look. */
  lastLookSeconds: number;
}

/** From TOWPATH_MAX_OUTPUT_BYTES. Throws a UserError when it is no number. */
export function engineSettingsFrom(env: Environment): EngineSettings {
  return {
    maxOutputBytes: countFrom(env, "TOWPATH_MAX_OUTPUT_BYTES", 1024 * 1024),
    graceSeconds: 30,
    lastLookSeconds: 30,
  };
}

/**
 * Runs the steps of a promotion from where its status says it is, until it is finished, waits or is
 * interrupted. Every transition is on disk before the next step starts: the end of a step and the start
 * of the next are one write.
 */
export async function advance(
  run: PromotionRun,
  services: EngineServices,
  signal: AbortSignal,
): Promise<Progress> {
  const { status, steps } = run;
  const loopServices = {
    evaluate: (step: PromotionStep) =>
      evaluateStep(services.expressions, services.functionsFor(run, step), run, step),
    advanceStep: (step: RunStep) => advanceStep(run, step, undefined, services, signal),
    maxOutputBytes: services.settings.maxOutputBytes,
  };
  for (let index = status.currentStep ?? 0; index < steps.length; index += 1) {
    const step = steps[index] as PromotionStep;
    status.currentStep = index;
    const loop = loopAt(steps, index);
    const progress =
      loop === undefined
        ? await advanceStep(run, step, steps[index + 1], services, signal)
        : await advanceLoop(run, loop, loopServices);
    if (progress !== undefined) return progress;
    if (loop !== undefined) index += loop.steps.length - 1;
  }
  conclude(run, services.now());
  return { state: "finished" };
}

/** Runs one step as far as it goes; undefined when it is over. */
async function advanceStep(
  run: PromotionRun,
  step: RunStep,
  next: PromotionStep | undefined,
  services: EngineServices,
  signal: AbortSignal,
): Promise<Progress | undefined> {
  if (signal.aborted || services.stopping?.()) {
    await run.save();
    return { state: "interrupted" };
  }
  const record = recordOf(run.status, step);
  if (isOver(record)) return undefined;
  const prepared = await prepare(run, step, record, services);
  if (prepared === undefined) return undefined;
  if (next?.forEach === undefined) void lookAhead(run, next, services, signal);
  return await runStep(run, step, record, prepared, services, signal);
}

/** Steps that were skipped, or could not even begin, have no times. */
function isOver({ status, startedAt, finishedAt }: StepExecutionMetadata): boolean {
  return (
    finishedAt !== undefined || (startedAt === undefined && (status === "Skipped" || status === "Errored"))
  );
}

interface Prepared {
  kind: StepKind;
  config: Record<string, unknown>;
  vars: Record<string, unknown>;
  /** The step was started before: this is a return to it. */
  resumed: boolean;
}

/** What is needed to run the step, or undefined when it is over without having run: its record says why. */
async function prepare(
  run: PromotionRun,
  step: RunStep,
  record: StepExecutionMetadata,
  services: EngineServices,
): Promise<Prepared | undefined> {
  const evaluation = evaluateStep(services.expressions, services.functionsFor(run, step), run, step);
  const resumed = record.startedAt !== undefined;
  const errored = (message: string) => {
    setStatus(record, "Errored", run.mask(message));
    if (record.startedAt !== undefined) record.finishedAt = services.now().toISOString();
  };

  // Asked once: later, the step's own failed attempt would count among those before it.
  if (!resumed) {
    try {
      if (await evaluation.shouldSkip()) {
        setStatus(record, "Skipped", undefined);
        return undefined;
      }
    } catch (error) {
      errored(`error checking if step "${step.as}" should be skipped: ${messageOf(error)}`);
      return undefined;
    }
  }
  const kind = await services.kinds.find(step.uses ?? "");
  if (kind === undefined) {
    errored(unknownKindMessage(step.uses ?? "", await services.kinds.names()));
    return undefined;
  }
  record.startedAt ??= services.now().toISOString();
  try {
    const config = await evaluation.config();
    return { kind, config, vars: await evaluation.vars(), resumed };
  } catch (error) {
    errored(`failed to build step context: failed to get step config: ${messageOf(error)}`);
    return undefined;
  }
}

/** Makes one attempt at the step. Returns undefined when the step is over. */
async function runStep(
  run: PromotionRun,
  step: PromotionStep,
  record: StepExecutionMetadata,
  prepared: Prepared,
  services: EngineServices,
  signal: AbortSignal,
): Promise<Progress | undefined> {
  const { kind, resumed } = prepared;
  const rules = rulesOf(step, kind);
  const tries = resumed ? await recallTries(services.store, run.uid, step) : noTries;
  if (!resumed) {
    setStatus(record, "Running", undefined);
    await run.save();
  }

  const result = checkOutput(
    await attemptStep(run, step, record, prepared, tries, rules, services, signal),
    step,
    services.settings.maxOutputBytes,
  );
  if (result.end === "interrupted") return { state: "interrupted" };

  keepWhatItLeft(run, step, kind, result);
  const verdict = settle(record, result, rules, tries.inARow, services.now());
  if (record.message !== undefined) record.message = run.mask(record.message);
  if (verdict.over) return undefined;

  await run.save(rememberTries(run.uid, step, tries, verdict.transientTries));
  return { state: "waiting", retryInSeconds: verdict.retryInSeconds };
}

async function attemptStep(
  run: PromotionRun,
  step: PromotionStep,
  record: StepExecutionMetadata,
  { kind, config, vars, resumed }: Prepared,
  tries: TransientTries,
  rules: StepRules,
  services: EngineServices,
  signal: AbortSignal,
): Promise<AttemptResult> {
  const { settings } = services;
  const invocation = toInvocation(run, step, record, { config, vars, tries: tries.inAll });
  const log = services.openLog({ project: run.project, promotion: run.promotion, step: step.as ?? "" });
  const left = millisecondsLeft(record, rules, services.now());
  const work = async (workSignal: AbortSignal): Promise<Outcome> => {
    const io: RunnerIO = {
      signal: workSignal,
      log: (line) => log.write(line),
      lastLogAt: (stream) => log.lastAt(stream),
    };
    const found = resumed ? await kind.runner.reattach?.(invocation, io) : undefined;
    return found ?? (await kind.runner.run(invocation, io));
  };
  try {
    return await attempt(work, {
      signal,
      millisecondsLeft: left > 0 ? left : settings.lastLookSeconds * 1000,
      graceMilliseconds: settings.graceSeconds * 1000,
    });
  } finally {
    await log.close();
  }
}

function keepWhatItLeft(
  run: PromotionRun,
  step: PromotionStep,
  kind: StepKind,
  result: Exclude<AttemptResult, { end: "interrupted" }>,
): void {
  run.keepOutput(step.as ?? "", outputOf(result), kind.taskOutput ?? false);
  if (result.end !== "outcome" || result.outcome.status !== "succeeded") return;
  const { healthCheck } = result.outcome;
  if (healthCheck === undefined) return;
  run.status.healthChecks = [...(run.status.healthChecks ?? []), healthCheck];
}

function conclude(run: PromotionRun, now: Date): void {
  const { status } = run;
  const { phase, message } = finalPhase(status.stepExecutionMetadata ?? []);
  status.phase = phase;
  if (message) status.message = message;
  else delete status.message;
  status.finishedAt = now.toISOString();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
