import type { ContainerJob, JobEnd } from "#core/container-job.ts";
import type { RunnerIO } from "#core/runner.ts";

export type { ContainerJob, JobEnd } from "#core/container-job.ts";

/**
 * Runs jobs to their end. Called again with a key that it knows, it follows the job that is running, or tells
 * of the success of one that nobody asked about since; a job that failed is run again. An abort ends the command
 * first, but not where the daemon stops. Throws a StepFailure when the command could not be run at all.
 */
export interface JobRunner {
  run(job: ContainerJob, io: Pick<RunnerIO, "signal" | "log">): Promise<JobEnd>;
  /** Removes all that is left of an owner's jobs, running ones included. To be called when the owner is over. */
  forget(ownerUid: string): Promise<void>;
}
