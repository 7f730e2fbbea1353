import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { EgressPolicy } from "#core/egress/policy.ts";
import { StepFailure } from "#core/failure.ts";
import type { Invocation, Runner, RunnerIO } from "#core/runner.ts";
import type { ScriptStep } from "#core/script-step.ts";
import type { Outcome } from "#core/step.ts";
import { type ContainerServices, createContainerRunner } from "#runners/container/container-runner.ts";
import { workspaceMount } from "#runners/container/create-options.ts";
import { isAbsent } from "#runners/container/engine.ts";
import { runAsProcess } from "#runners/script/script-as-process.ts";
import { closedTo } from "#runners/script/script-egress.ts";
import { openedFor, registryHost } from "#runners/script/script-hosts.ts";
import {
  loadingContainer,
  moduleCache,
  onlyReachesHosts,
  scriptContainer,
} from "#runners/script/script-in-container.ts";
import { parseScriptStep } from "#runners/script/script-plan.ts";
import { outcomeOf } from "#runners/script/script-result.ts";
import type { ScriptSettings } from "#runners/script/script-settings.ts";

export interface ScriptServices extends ContainerServices {
  settings: ScriptSettings;
  egress: EgressPolicy;
}

/**
 * Runs the step `script`: in a container of its own, which outlives the daemon, or as a process, which does not,
 * where the operator allows one.
 */
export function createScriptRunner(services: ScriptServices): Runner {
  const { settings, docker } = services;
  const closedFor = (step: ScriptStep) => closedTo(step.permissions.net, services.egress);
  const contained = createContainerRunner(services, async (invocation) =>
    scriptContainer(invocation, { settings, closed: await closedFor(parseScriptStep(invocation)) }),
  );

  async function isProcess(): Promise<boolean> {
    if (settings.local !== "fallback") return settings.local === "always";
    return docker.ping().then(
      () => false,
      (error) => isAbsent(error),
    );
  }

  return {
    async run(invocation, io) {
      const step = parseScriptStep(invocation);
      await closedTo(hostsOf(step.import), services.egress);
      if (await isProcess()) {
        const closed = await closedFor(step);
        const written = await runAsProcess(invocation, io, { ...services, closed });
        return outcomeOf(written, { workspace: invocation.workspace });
      }
      try {
        await loadModules(services, step, invocation, io);
        return outcomeIn(await contained.run(invocation, io), step);
      } catch (error) {
        throw withAdvice(error);
      }
    },
    async reattach(invocation, io) {
      if (await isProcess()) return undefined;
      const outcome = await contained.reattach?.(invocation, io);
      return outcome && outcomeIn(outcome, parseScriptStep(invocation));
    },
  };
}

/** Where modules of `https:` come from; those of npm and jsr come from where the operator says. */
function hostsOf(imports: readonly string[]): string[] {
  return imports.flatMap((name) => (name.startsWith("https:") ? new URL(name).host : []));
}

function outcomeIn(outcome: Outcome, step: ScriptStep): Outcome {
  return outcomeOf(outcome.output, { workspace: workspaceMount, isBehindProxy: onlyReachesHosts(step) });
}

/** Loads what `import` names into the cache of its container, once; the script itself loads nothing more. */
async function loadModules(
  services: ScriptServices,
  step: ScriptStep,
  invocation: Invocation,
  io: RunnerIO,
): Promise<void> {
  const { settings, allowed, cacheRoot } = services;
  if (step.import.length === 0) return;
  const ready = join(cacheRoot, invocation.project, `${moduleCache(step, settings)}.ready`);
  if (existsSync(ready)) return;
  io.log({ stream: "system", text: `loading ${step.import.join(", ")}` });
  const registry = registryHost(settings.loading.NPM_CONFIG_REGISTRY);
  const egress = registry === undefined ? services.egress : openedFor(registry, services.egress);
  const loader = createContainerRunner({ ...services, egress }, async () =>
    loadingContainer(step, { settings, allowed }),
  );
  await loader.run({ ...invocation, alias: `${invocation.alias} modules` }, io);
  await writeFile(ready, "");
}

/** Where there is no engine, there may be another way. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof StepFailure && isAbsent(error.cause ?? {}))) return error;
  const advice = "or have the operator let scripts run as processes of the machine, by TOWPATH_SCRIPT_LOCAL";
  return new StepFailure(error.kind, `${error.message}; ${advice}`, { cause: error.cause });
}
