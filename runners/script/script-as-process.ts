import { existsSync } from "node:fs";
import { mkdir, realpath, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StepFailure } from "#core/failure.ts";
import type { Invocation, RunnerIO } from "#core/runner.ts";
import type { ScriptStep } from "#core/script-step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import type { ContainerServices } from "#runners/container/container-runner.ts";
import { limitsOf } from "#runners/container/custom-step.ts";
import { outputFolder, prepareOutputFolder } from "#runners/container/output-folder.ts";
import { readOutput } from "#runners/container/step-output.ts";
import {
  denoArguments,
  denoEnvironment,
  heapMegabytes,
  loadArguments,
} from "#runners/script/deno-arguments.ts";
import { runDeno } from "#runners/script/deno-process.ts";
import { refusePlantedLinks } from "#runners/script/planted-links.ts";
import { moduleCache } from "#runners/script/script-in-container.ts";
import { planScript } from "#runners/script/script-plan.ts";
import type { ScriptSettings } from "#runners/script/script-settings.ts";

export interface ProcessServices extends Pick<ContainerServices, "expressions" | "outputRoot" | "cacheRoot"> {
  settings: ScriptSettings;
  /** Ranges of addresses that the script is kept from. */
  closed: readonly string[];
}

/** Runs a script as a process of this machine, with Deno's permissions alone around it. Gives what the harness wrote. */
export async function runAsProcess(
  invocation: Invocation,
  io: RunnerIO,
  { expressions, outputRoot, cacheRoot, settings, closed }: ProcessServices,
): Promise<unknown> {
  const folder = outputFolder(outputRoot, invocation);
  await prepareOutputFolder(folder);
  try {
    const workspace = await openWorkspace(invocation.workspace);
    const place = { folder: await realpath(folder.path), workspace: workspace.root };
    const plan = await planScript(invocation, place, { watchInput: true });
    refusePrograms(plan.step, settings);
    await refusePlantedLinks(workspace, plan.step.permissions);
    await prepareOutputFolder(folder, plan.files);
    const cache = await loadedModules(plan.step, join(cacheRoot, invocation.project), settings, io);
    await runDeno(
      {
        args: denoArguments(plan, place, {
          closed,
          heapMegabytes: heapMegabytes(limitsOf(plan.step.resources?.limits).memoryBytes),
        }),
        cwd: workspace.root,
        env: denoEnvironment(cache ?? join(place.folder, "deno"), settings.loading),
      },
      io,
    );
    return await readOutput(await folder.read(), { type: "Pipe", format: "JSON" }, expressions);
  } finally {
    await folder.remove();
  }
}

/** A program that Deno starts is bound by nothing: on the machine itself, only the operator can want that. */
function refusePrograms({ permissions }: ScriptStep, { programs }: ScriptSettings): void {
  const [refused] = permissions.run.filter((program) => !programs.includes(program));
  if (refused === undefined) return;
  throw new StepFailure(
    "refused",
    `Cannot let a script start "${refused}" outside of a container: the operator did not allow it in TOWPATH_SCRIPT_PROGRAMS`,
  );
}

/** The cache with all that `import` names, loaded when it is not there yet; undefined when nothing is named. */
async function loadedModules(
  step: ScriptStep,
  cacheFolder: string,
  settings: ScriptSettings,
  io: RunnerIO,
): Promise<string | undefined> {
  if (step.import.length === 0) return undefined;
  const cache = join(cacheFolder, `${moduleCache(step, settings)}-local`);
  if (existsSync(`${cache}.ready`)) return cache;
  await mkdir(cache, { recursive: true, mode: 0o700 });
  io.log({ stream: "system", text: `loading ${step.import.join(", ")}` });
  const args = loadArguments(step.import);
  await runDeno(
    { args, cwd: cache, env: { ...settings.loading, ...denoEnvironment(cache, settings.loading) } },
    io,
  );
  await writeFile(`${cache}.ready`, "");
  return cache;
}
