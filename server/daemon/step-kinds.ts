import { configuredGitUser } from "#core/git/configured-user.ts";
import { maxOciPushBytesFrom } from "#core/oci/push-limit.ts";
import { type GateLinks, hiddenLinks } from "#core/promotion/gate-links.ts";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { StepKinds } from "#core/runner.ts";
import { isOver } from "#core/stages/verification/phases.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import { removeOrphans } from "#runners/container/containers.ts";
import { customStepKinds } from "#runners/container/custom-step-kinds.ts";
import { createInlineContainerRunner } from "#runners/container/inline-container.ts";
import { createJobRunner } from "#runners/container/job-runner.ts";
import { createInProcessRunner } from "#runners/in-process.ts";
import { createScriptRunner } from "#runners/script/script-runner.ts";
import { scriptSettingsFrom } from "#runners/script/script-settings.ts";
import { builtinStepKinds, combineStepKinds } from "#runners/step-kinds.ts";
import { createWorkspaceTurns } from "#runners/workspace-turns.ts";
import { messageSender } from "#server/daemon/notifications.ts";
import type { Parts } from "#server/daemon/parts.ts";
import type { DataFolder } from "#server/data-folder.ts";
import container from "#steps/container.ts";
import script from "#steps/script.ts";

/** Steps of the daemon's own come first: no definition can take a built-in step's name. */
export function stepKinds(
  parts: Parts,
  folder: DataFolder,
  links: GateLinks,
  containers: ContainerServices,
): StepKinds {
  const runner = createInProcessRunner(parts.steps, {
    ...parts,
    cacheFolder: folder.cache,
    gateLinks: hiddenLinks(links, parts.masker),
    messages: messageSender(parts),
    jobs: createJobRunner(containers),
    gitUser: () => configuredGitUser(parts.store, parts.masker),
    maxOciPushBytes: maxOciPushBytesFrom(parts.env),
  });
  const scripts = { settings: scriptSettingsFrom(parts.env) };
  const turns = createWorkspaceTurns();
  return combineStepKinds(
    turns.of(
      "commands",
      combineStepKinds(
        builtinStepKinds([container], createInlineContainerRunner(containers)),
        builtinStepKinds([script], createScriptRunner({ ...containers, ...scripts, egress: parts.egress })),
      ),
    ),
    turns.of("daemon", builtinStepKinds(parts.steps, runner)),
    turns.of("commands", customStepKinds(parts.store, containers)),
  );
}

/** Containers of promotions and analyses that ended, or were deleted, while no daemon ran. Nobody waits for it. */
export function removeLeftContainers({ store, log, docker }: Parts, folder: DataFolder): void {
  const goingOn = async () => {
    const promotions = (await store.list({ kind: "Promotion" })) as Promotion[];
    const analyses = (await store.list({ kind: "AnalysisRun" })) as AnalysisRun[];
    return new Set([
      ...promotions.flatMap(({ metadata, status }) => (status?.finishedAt ? [] : (metadata.uid ?? []))),
      ...analyses.flatMap(({ metadata, status }) => (isOver(status?.phase) ? [] : (metadata.uid ?? []))),
    ]);
  };
  removeOrphans(docker, folder.outputs, goingOn).catch((error) => log.error("left containers", { error }));
}
