import { createHash } from "node:crypto";
import type { JobEnd, JobRunner } from "#core/container-jobs.ts";
import type { Masker } from "#core/credentials/masker.ts";
import type { JobContainer, JobSpec } from "#core/metrics/job-spec.ts";
import type { Job } from "#core/metrics/provider.ts";
import { openStepLog } from "#core/promotion/step-log.ts";
import { environmentOf, expand } from "#core/stages/verification/jobs/environment.ts";
import { analysisLogOwner } from "#core/store/log-owner.ts";
import type { LogKey, Store } from "#core/store/store.ts";

export interface PodServices {
  store: Store;
  masker: Masker;
  runner: JobRunner;
  now(): Date;
  onError(error: unknown): void;
}

/** Where the log of a metric's container stands; all measurements of the metric write to the same. */
export function containerLog(
  run: { project?: string; name: string },
  metric: string,
  container: string,
): LogKey {
  return {
    project: run.project ?? "",
    promotion: analysisLogOwner(run.name),
    step: `${metric}/${container}`,
  };
}

/**
 * Runs the init containers one after another and then the containers beside one another. Throws where one of
 * them could not be run at all. How each ended is journalled: after a crash none of them is run again.
 */
export async function runPod(
  services: PodServices,
  job: Job,
  { template: { spec } }: JobSpec,
  attempt: number,
  signal: AbortSignal,
): Promise<{ succeeded: true } | { succeeded: false; message: string }> {
  // What fails ends what runs beside it.
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const run = async (container: JobContainer): Promise<JobEnd> => {
    try {
      return await runContainer(services, job, { spec, container, attempt }, either);
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  for (const container of spec.initContainers ?? []) {
    const end = await run(container);
    if (end.exitCode !== 0) return { succeeded: false, message: told(container, end) };
  }
  const ends = await Promise.allSettled(spec.containers.map(run));
  const messages = ends.flatMap((end, index) => {
    if (end.status === "rejected") throw stop.signal.aborted ? stop.signal.reason : end.reason;
    return end.value.exitCode === 0 ? [] : [told(spec.containers[index] as JobContainer, end.value)];
  });
  return messages.length === 0 ? { succeeded: true } : { succeeded: false, message: messages.join("; ") };
}

function told({ name }: JobContainer, { message }: JobEnd): string {
  return `Container "${name}": ${message}`;
}

interface PodContainer {
  spec: JobSpec["template"]["spec"];
  container: JobContainer;
  attempt: number;
}

async function runContainer(
  { store, masker, runner, now, onError }: PodServices,
  { id, run, metric }: Job,
  { spec, container, attempt }: PodContainer,
  signal: AbortSignal,
): Promise<JobEnd> {
  const key = keyOf(`${id.slice(run.uid.length + 1)}.${container.name}.${attempt}`);
  const known = await store.journal(run.uid, key);
  if (known !== undefined) return known.value as JobEnd;

  const env = await environmentOf({ store, masker }, run, container);
  const { runAsUser, runAsGroup } = { ...spec.securityContext, ...container.securityContext };
  const log = openStepLog(containerLog(run, metric, container.name), { store, masker, now, onError });
  try {
    const end = await runner.run(
      {
        project: run.project ?? "",
        owner: { name: run.name, uid: run.uid },
        key,
        image: container.image,
        command: container.command?.map((text) => expand(text, env)),
        args: container.args?.map((text) => expand(text, env)),
        env,
        workingDir: container.workingDir,
        ...(runAsUser === undefined
          ? {}
          : { user: runAsGroup === undefined ? String(runAsUser) : `${runAsUser}:${runAsGroup}` }),
        limits: container.resources?.limits,
        pullSecrets: (spec.imagePullSecrets ?? []).map(({ name }) => name),
      },
      { signal, log: log.write, ...{ lastLogAt: log.lastAt } },
    );
    await log.close();
    await store.write([
      { op: "journal", scope: run.uid, key, value: { ...end, message: masker.mask(end.message) } },
    ]);
    return end;
  } finally {
    await log.close();
  }
}

/** Different in its first characters already: the engine's names for containers have room for few. */
function keyOf(name: string): string {
  return `${createHash("sha256").update(name).digest("hex").slice(0, 12)}.${name}`;
}
