import type { Invocation, Runner } from "#core/runner.ts";
import { refuseDisallowed } from "#runners/container/allowances.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import { outputFolder } from "#runners/container/output-folder.ts";
import { createAhead, reattachOwn, runInOwn } from "#runners/container/own-container.ts";
import { ensureImage } from "#runners/container/placing.ts";
import { reattachWarm, runInWarm, startAhead } from "#runners/container/warm-container.ts";

export type { ContainerServices };

/** Says what to run for an invocation. */
export type Prepare = (invocation: Invocation) => Promise<ContainerSpec>;

/**
 * Runs a step's command in a container of its own, one for each attempt, or in one that steps of the promotion
 * share where the definition says so. Containers outlive the daemon.
 */
export function createContainerRunner(services: ContainerServices, prepare: Prepare): Runner {
  return {
    async run(invocation, io) {
      const spec = await prepare(invocation);
      refuseDisallowed(spec, services.allowed);
      const attempt = { spec, invocation, io };
      // Hosts are opened for a step and closed after it.
      if (!spec.reuse || opensHosts(spec)) return runInOwn(services, attempt);
      const outcome = await runInWarm(services, attempt);
      if (outcome !== undefined) return outcome;
      const text = "the image has no shell to keep it running: the step gets a container of its own";
      io.log({ stream: "system", text });
      return runInOwn(services, attempt);
    },
    async reattach(invocation, io) {
      const kept = await outputFolder(services.outputRoot, invocation).keptOutcome();
      if (kept !== undefined) return kept;
      const attempt = async () => ({ spec: await prepare(invocation), invocation, io });
      return (
        (await reattachWarm(services, invocation, attempt)) ?? reattachOwn(services, invocation, attempt)
      );
    },
    async prepare(invocation) {
      const spec = await prepare(invocation);
      refuseDisallowed(spec, services.allowed);
      if (opensHosts(spec)) await ensureImage(services, spec, invocation.project, () => undefined);
      else (spec.reuse ? startAhead : createAhead)(services, spec, invocation);
    },
  };
}

const opensHosts = ({ allow = [] }: ContainerSpec) => allow.length > 0;
