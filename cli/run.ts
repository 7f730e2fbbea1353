import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LocalTools, LocalWorld } from "#cli/local-services.ts";
import type { Runnable } from "#cli/runnable.ts";
import { abortedStatus } from "#core/promotion/abort.ts";
import { stepOf } from "#core/promotion/alias.ts";
import { advance, type StepLogWriter } from "#core/promotion/engine.ts";
import { collect, toReference } from "#core/promotion/freight-collection.ts";
import { openRun } from "#core/promotion/open-run.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion, PromotionStatus } from "#core/resources/promotion.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { LogKey } from "#core/store/store.ts";

export interface RunOptions {
  /** Ends the run; the step that is under way is told. */
  signal: AbortSignal;
  /** Hears of every transition, after it happened. */
  onChange?(promotion: Promotion): void;
  onLog?(step: string, text: string): void;
}

/** How a finished run went. */
export interface RunRecord {
  phase: string;
  message: string;
  startedAt: string | undefined;
  finishedAt: string | undefined;
  steps: StepRecord[];
}

interface StepRecord {
  alias: string;
  uses: string;
  status: string;
  message: string;
  startedAt: string | undefined;
  finishedAt: string | undefined;
  errorCount: number;
  output: unknown;
}

/** Runs a promotion to its end with the daemon's engine, in a folder that is gone afterwards. */
export async function runLocally(
  tools: LocalTools,
  { promotion, resources }: Runnable,
  options: RunOptions,
): Promise<RunRecord> {
  const world = await tools.openWorld([...resources, withFreight(promotion, resources)]);
  const workspace = await mkdtemp(join(tmpdir(), "towpath-run-"));
  const stopWatching = world.store.watch(({ resource }) => {
    if (resource.kind === "Promotion") options.onChange?.(resource as Promotion);
  });
  try {
    return await runInWorld(world, promotion, workspace, options);
  } finally {
    stopWatching();
    await world.close();
    await rm(workspace, { recursive: true, force: true });
  }
}

async function runInWorld(
  world: LocalWorld,
  { spec, metadata }: Promotion,
  workspace: string,
  options: RunOptions,
): Promise<RunRecord> {
  const ref = { kind: "Promotion", project: metadata.namespace, name: metadata.name };
  const stored = (await world.store.get(ref)) as Promotion;
  const freight = await world.store.get({ ...ref, kind: "Freight", name: spec.freight ?? "" });
  const stage = (await world.store.get({ ...ref, kind: "Stage", name: spec.stage })) as Stage | undefined;
  const run = await openRun(world.store, world.masker, {
    promotion: stored,
    freight: freight as Freight | undefined,
    freightRequests: stage?.spec.requestedFreight ?? [],
    workspace,
    uiBaseUrl: "",
  });
  const services = { ...world, openLog: (key: LogKey) => tee(world.openLog(key), key.step, world, options) };

  for (;;) {
    const progress = await advance(run, services, options.signal);
    if (progress.state === "finished") break;
    if (progress.state === "waiting") await pause(progress.retryInSeconds, options.signal);
    if (options.signal.aborted) {
      Object.assign(
        run.status,
        abortedStatus({ ...stored, status: run.status }, { actor: "you" }, world.now()),
      );
      break;
    }
  }
  await run.save(run.cleanUp);
  return toRecord(stored, run.status);
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  const milliseconds = Math.min(seconds * 1000, 2 ** 31 - 1);
  await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
}

/** The log goes where the daemon would keep it, and to whoever watches. */
function tee(log: StepLogWriter, step: string, { masker }: LocalWorld, { onLog }: RunOptions): StepLogWriter {
  return {
    ...log,
    write(line) {
      log.write(line);
      onLog?.(step, masker.mask(line.text));
    },
  };
}

/** The promotion about to run, with all freight that was given: the first is the one that is promoted. */
function withFreight(promotion: Promotion, resources: Runnable["resources"]): Promotion {
  const freight = resources
    .filter(({ kind }) => kind === "Freight")
    .map((one) => toReference(one as Freight));
  const status: PromotionStatus = { phase: "Running", startedAt: new Date().toISOString() };
  if (freight[0] === undefined) return { ...promotion, status };
  return {
    ...promotion,
    spec: { ...promotion.spec, freight: freight[0].name },
    status: { ...status, freight: freight[0], freightCollection: collect(freight.toReversed()) },
  };
}

function toRecord({ spec }: Promotion, status: PromotionStatus): RunRecord {
  const records = status.stepExecutionMetadata ?? [];
  return {
    phase: status.phase ?? "Errored",
    message: status.message ?? "",
    startedAt: status.startedAt,
    finishedAt: status.finishedAt,
    steps: records.map((record) => ({
      alias: record.alias ?? "",
      uses: stepOf(spec.steps ?? [], record.alias ?? "")?.uses ?? "",
      status: record.status ?? "",
      message: record.message ?? "",
      startedAt: record.startedAt,
      finishedAt: record.finishedAt,
      errorCount: record.errorCount ?? 0,
      output: status.state?.[record.alias ?? ""] ?? null,
    })),
  };
}

/** What a run is over with: 0 succeeded, 1 failed, 2 errored, 130 aborted. */
export function exitCodeFor({ phase }: RunRecord): number {
  switch (phase) {
    case "Succeeded":
      return 0;
    case "Failed":
      return 1;
    case "Aborted":
      return 130;
    default:
      return 2;
  }
}
