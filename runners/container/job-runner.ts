import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerJob, JobEnd, JobRunner } from "#core/container-jobs.ts";
import type { Invocation } from "#core/runner.ts";
import { createContainerRunner } from "#runners/container/container-runner.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import { limitsOf } from "#runners/container/custom-step.ts";
import { forgetContainers } from "#runners/container/forget.ts";
import { CommandFailure } from "#runners/container/verdicts.ts";

/** Runs jobs as steps are run, hardening and all, in an empty folder of their own. */
export function createJobRunner(services: ContainerServices): JobRunner {
  return {
    async run(job, io) {
      const workspace = join(
        services.outputRoot,
        job.owner.uid,
        `${Buffer.from(job.key).toString("hex")}-work`,
      );
      const invocation = toInvocation(job, workspace);
      const runner = createContainerRunner(services, async () => toSpec(job, services));
      await mkdir(workspace, { recursive: true });
      try {
        const followed = await runner.reattach?.(invocation, io);
        if (followed === undefined) await runner.run(invocation, io);
        return { exitCode: 0, message: "" };
      } catch (error) {
        return endOf(error);
      } finally {
        if (!io.signal.aborted) await rm(workspace, { recursive: true, force: true });
      }
    },
    forget: (ownerUid) => forgetContainers(services, ownerUid),
  };
}

function endOf(error: unknown): JobEnd {
  if (error instanceof CommandFailure) return { exitCode: error.exitCode, message: error.message };
  throw error;
}

/** Jobs say nothing of networks: they get the usual one where the operator has opened it, and none otherwise. */
function toSpec(job: ContainerJob, { allowed }: ContainerServices): ContainerSpec {
  return {
    image: job.image,
    command: [...(job.args ?? [])],
    entrypoint: job.command === undefined || job.command.length === 0 ? "keep" : job.command,
    env: job.env,
    user: job.user,
    workingDir: job.workingDir ?? "",
    network: allowed.networks.includes("bridge") ? "bridge" : "none",
    readOnlyRoot: false,
    caches: [],
    devices: [],
    gpus: 0,
    pullSecrets: job.pullSecrets,
    limits: limitsOf(job.limits),
    stopGraceSeconds: 10,
    reuse: false,
    output: { type: "Pipe", format: "Text" },
  };
}

function toInvocation({ project, owner, key }: ContainerJob, workspace: string): Invocation {
  return {
    kind: "job",
    config: {},
    project,
    stage: "",
    promotion: owner.name,
    promotionUid: owner.uid,
    alias: key,
    attempt: 1,
    actor: "",
    rollback: false,
    uiBaseUrl: "",
    startedAt: "",
    workspace,
    freight: [],
    freightRequests: [],
    targetFreight: undefined,
    targetFreightAlias: "",
    outputs: {},
    vars: {},
  };
}
