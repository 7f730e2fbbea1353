import type { JobRunner } from "#core/container-jobs.ts";
import type { Masker } from "#core/credentials/masker.ts";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import { StepFailure } from "#core/failure.ts";
import { type JobSpec, parseJobSpec } from "#core/metrics/job-spec.ts";
import type { Job, JobState, Jobs } from "#core/metrics/provider.ts";
import { type PodServices, runPod } from "#core/stages/verification/jobs/pod.ts";
import type { Store } from "#core/store/store.ts";

export interface JobServices {
  store: Store;
  masker: Masker;
  runner: JobRunner;
  now(): Date;
  onError(error: unknown): void;
  /** Seconds before another pod is tried, after so many that failed. As Kubernetes' by default. */
  pauseSeconds?: (failures: number) => number;
}

/** The jobs of AnalysisRuns. */
export interface AnalysisJobs extends Jobs {
  /** Removes all that is left of a run's jobs. */
  forget(runUid: string): Promise<void>;
  /** The daemon stops: what runs goes on without it. */
  close(): void;
}

interface Running {
  state: JobState | { phase: "broken"; error: unknown };
  stop: AbortController;
  ended: Promise<void>;
}

const firstPauseSeconds = 10;
const longestPauseSeconds = 360;
/** setTimeout's own limit, of 24 days: a longer one would fire at once. */
const longestTimerMilliseconds = 2 ** 31 - 1;

export function createAnalysisJobs(services: JobServices): AnalysisJobs {
  const jobs = new Map<string, Running>();
  const { pauseSeconds = kubernetesPause } = services;

  function begin(job: Job): Running {
    const spec = parseJobSpec(job.spec);
    const stop = new AbortController();
    const running: Running = { state: { phase: "running" }, stop, ended: Promise.resolve() };
    jobs.set(job.id, running);
    running.ended = runJob(services, job, spec, { pauseSeconds, signal: stop.signal })
      .then((state) => {
        running.state = state;
      })
      .catch((error: unknown) => {
        running.state = { phase: "broken", error };
      });
    return running;
  }

  return {
    async follow(job) {
      const { state } = jobs.get(job.id) ?? begin(job);
      if (state.phase === "running") return state;
      jobs.delete(job.id);
      if (state.phase === "broken") throw state.error;
      return state;
    },
    async end(id) {
      const running = jobs.get(id);
      if (running === undefined) return;
      running.stop.abort(new Error("the measurement was ended"));
      await running.ended;
      jobs.delete(id);
    },
    async forget(runUid) {
      const ofRun = [...jobs].filter(([id]) => id.startsWith(`${runUid}.`));
      for (const [id, { stop }] of ofRun) {
        stop.abort(new Error("the run is over"));
        jobs.delete(id);
      }
      await Promise.all(ofRun.map(([, { ended }]) => ended));
      await services.runner.forget(runUid);
    },
    close() {
      for (const { stop } of jobs.values()) stop.abort(new DaemonStopping());
    },
  };
}

interface JobOptions {
  pauseSeconds: (failures: number) => number;
  signal: AbortSignal;
}

/** Pod after pod until one succeeds, or more have failed than may. */
async function runJob(
  services: PodServices,
  job: Job,
  spec: JobSpec,
  { pauseSeconds, signal }: JobOptions,
): Promise<JobState> {
  const deadline = spec.activeDeadlineSeconds ?? spec.template.spec.activeDeadlineSeconds;
  const tooLate =
    deadline === undefined
      ? undefined
      : AbortSignal.timeout(Math.min(deadline * 1000, longestTimerMilliseconds));
  const either = tooLate === undefined ? signal : AbortSignal.any([signal, tooLate]);
  try {
    for (let failures = 0; ; ) {
      const end = await runPod(services, job, spec, failures + 1, either);
      if (end.succeeded) return { phase: "succeeded" };
      failures += 1;
      if (failures > spec.backoffLimit) return { phase: "failed", message: end.message };
      await sleep(pauseSeconds(failures), either);
    }
  } catch (error) {
    if (tooLate?.aborted && !signal.aborted) {
      return { phase: "failed", message: `The job was ended: it ran longer than its ${deadline} s` };
    }
    if (error instanceof StepFailure && error.terminal) {
      return { phase: error.kind === "config" ? "failed" : "stuck", message: error.message };
    }
    throw error;
  }
}

function kubernetesPause(failures: number): number {
  return Math.min(longestPauseSeconds, firstPauseSeconds * 2 ** (failures - 1));
}

function sleep(seconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, seconds * 1000);
  signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  if (signal.aborted) reject(signal.reason);
  return promise.finally(() => clearTimeout(timer));
}
