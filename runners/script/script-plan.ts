import { readFile } from "node:fs/promises";
import { posix } from "node:path";
import { pathToFileURL } from "node:url";
import { configProblems } from "#core/config-problems.ts";
import { StepFailure } from "#core/failure.ts";
import { taskOutputs } from "#core/promotion/evaluate.ts";
import { promotionContext } from "#core/promotion/invocation.ts";
import type { Invocation } from "#core/runner.ts";
import { type ScriptPermissions, ScriptStep } from "#core/script-step.ts";
import type { Workspace } from "#core/workspace.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import { inlineName, toModule } from "#runners/script/script-source.ts";

/** Where a script finds things: absolute paths, as it sees them itself. */
export interface ScriptPlace {
  /** Holds the files of the plan, and the output file. */
  folder: string;
  workspace: string;
}

/** What one attempt at a script is made of, wherever it runs. */
export interface ScriptPlan {
  step: ScriptStep;
  /** Texts by name, to be put into the folder of the place. */
  files: Record<string, string>;
  /** Absolute paths, as the script sees them. */
  read: string[];
  write: string[];
}

const harness = new URL("./harness.js", import.meta.url);

/** Reads the step's configuration. Throws a StepFailure that says all that is wrong with it. */
export function parseScriptStep({ config }: Pick<Invocation, "config">): ScriptStep {
  const parsed = ScriptStep.safeParse(config);
  if (parsed.success) return parsed.data;
  const problems = configProblems(parsed.error.issues, config).join("; ");
  throw new StepFailure("config", `invalid script config: ${problems}`);
}

export async function planScript(
  invocation: Invocation,
  place: ScriptPlace,
  options: { watchInput: boolean },
): Promise<ScriptPlan> {
  const step = parseScriptStep(invocation);
  const workspace = await openWorkspace(invocation.workspace);
  const read = await pathsOf(step.permissions.read, workspace, place);
  const write = await pathsOf(step.permissions.write, workspace, place);
  const script = await scriptPath(step, workspace, place);
  const context = {
    script: pathToFileURL(script).href,
    ...options,
    env: Object.fromEntries(Object.entries(step.env).map(([name, value]) => [name, String(value)])),
    ...givenTo(invocation, step),
  };
  return {
    step,
    files: {
      "harness.js": await readFile(harness, "utf8"),
      "context.json": JSON.stringify(context),
      ...(step.run === undefined ? {} : { [inlineName]: toModule(step.run) }),
    },
    read: [posix.join(place.folder, "context.json"), script, ...read],
    write: [posix.join(place.folder, "output"), ...write],
  };
}

/** What the script is called with; the declaration file in schemas/ tells editors of it. */
function givenTo(invocation: Invocation, { config }: ScriptStep) {
  const { alias, outputs, vars, freight } = invocation;
  const own = taskOutputs(alias, outputs);
  const task = own && { outputs: own };
  return { config, ...promotionContext(invocation, alias), outputs, vars, task, freight };
}

async function scriptPath(step: ScriptStep, workspace: Workspace, place: ScriptPlace): Promise<string> {
  const { file } = step;
  if (file === undefined) return posix.join(place.folder, inlineName);
  if (await workspace.exists(file)) return posix.join(place.workspace, await relative(file, workspace));
  throw new StepFailure("config", `Cannot run script "${file}": there is no such file in the workspace`);
}

/** Each path as it was written, and as it is behind symbolic links: Deno compares texts. */
async function pathsOf(
  paths: readonly string[],
  workspace: Workspace,
  place: ScriptPlace,
): Promise<string[]> {
  const real = await Promise.all(paths.map((path) => relative(path, workspace)));
  return [
    ...new Set([...paths, ...real].map((path) => posix.join(place.workspace, path).replace(/\/$/, ""))),
  ];
}

/** Throws a StepFailure for a path that leads out of the workspace. */
async function relative(path: string, workspace: Workspace): Promise<string> {
  return posix.relative(workspace.root, await workspace.resolve(path));
}

/** What of the workspace a script may do; "none" when it need not even be there. */
export function workspaceAccess({
  file,
  permissions,
}: {
  file?: string;
  permissions: ScriptPermissions;
}): "write" | "read" | "none" {
  if (permissions.write.length > 0) return "write";
  return permissions.read.length > 0 || permissions.run.length > 0 || file !== undefined ? "read" : "none";
}
