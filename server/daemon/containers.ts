import { join } from "node:path";
import { type AnalysisJobs, createAnalysisJobs } from "#core/stages/verification/jobs/jobs.ts";
import type { ContainerServices } from "#runners/container/container-runner.ts";
import { engineAdvice } from "#runners/container/engine.ts";
import { createImages } from "#runners/container/images.ts";
import { createJobRunner } from "#runners/container/job-runner.ts";
import { createContainerPool } from "#runners/container/pool.ts";
import { createPullCredentials } from "#runners/container/pull-credentials.ts";
import type { Parts } from "#server/daemon/parts.ts";
import type { DataFolder } from "#server/data-folder.ts";

/** What containers are run with, whoever runs them. */
export function containerServices(parts: Parts, folder: DataFolder): ContainerServices {
  return {
    ...parts,
    images: createImages(parts.docker),
    pool: createContainerPool(parts.docker, (error) => parts.log.error("container", { error })),
    pullCredentials: createPullCredentials(parts.store, parts.masker, parts.credentialsFor),
    outputRoot: folder.outputs,
    cacheRoot: join(folder.cache, "containers"),
  };
}

/** Says at the start what the operator should know of the engine. Nobody waits for it. */
export function adviseOfEngine({ docker, log }: Parts): void {
  void engineAdvice(docker).then((advice) => advice && log.info(advice));
}

/** Runs what the metrics of the provider `job` ask for. */
export function analysisJobs(parts: Parts, containers: ContainerServices): AnalysisJobs {
  const { store, masker, now, log } = parts;
  return createAnalysisJobs({
    store,
    masker,
    now,
    runner: createJobRunner(containers),
    onError: (error) => log.error("job log", { error }),
  });
}
