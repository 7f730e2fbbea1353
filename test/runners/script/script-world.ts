import { mkdir } from "node:fs/promises";
import { createEgressPolicy } from "#core/egress/policy.ts";
import type { Invocation, Runner, RunnerLogLine } from "#core/runner.ts";
import type { Outcome } from "#core/step.ts";
import { createScriptRunner } from "#runners/script/script-runner.ts";
import { scriptSettingsFrom } from "#runners/script/script-settings.ts";
import { type ContainerWorld, openContainerWorld, recordingIO } from "#test/support/containers.ts";
import { makeDenoImage } from "#test/support/deno-image.ts";
import { requirePart } from "#test/support/require-part.ts";

const hasDeno = await requirePart("deno");
const hasDocker = await requirePart("docker");

/** Where a script can run, each with the variables by which the operator says so. */
export const places = [
  { where: "a process", runs: hasDeno, variables: async () => ({ TOWPATH_SCRIPT_LOCAL: "always" }) },
  {
    where: "a container",
    runs: hasDeno && hasDocker,
    variables: async () => ({ TOWPATH_SCRIPT_IMAGE: await makeDenoImage() }),
  },
];

export interface ScriptWorldOptions {
  /** Settings of the operator, as variables. */
  env?: Record<string, string>;
  allowNet?: readonly string[];
  networks?: readonly string[];
}

export interface ScriptWorld extends ContainerWorld {
  runner: Runner;
  /** Runs a script once, in a workspace of its own that `prepare` may fill. */
  run(config: Record<string, unknown>, options?: RunOptions): Promise<Ran>;
}

export interface RunOptions {
  prepare?(workspace: string): Promise<unknown>;
  signal?: AbortSignal;
  invocation?: Partial<Invocation>;
}

export interface Ran {
  outcome?: Outcome;
  failure?: { kind: string; message: string };
  lines: RunnerLogLine[];
  workspace: string;
}

export async function openScriptWorld({ env = {}, allowNet, networks = [] }: ScriptWorldOptions) {
  const world = await openContainerWorld({ allowed: { networks, devices: [], gpus: false } });
  const runner = createScriptRunner({
    ...world.services,
    settings: scriptSettingsFrom(env),
    egress: createEgressPolicy({ allow: allowNet }),
  });
  async function run(config: Record<string, unknown>, options: RunOptions = {}): Promise<Ran> {
    const own = world.invocation({ kind: "script", config, ...options.invocation });
    const { workspace } = own;
    await mkdir(workspace, { recursive: true });
    await options.prepare?.(workspace);
    const io = recordingIO(options.signal);
    try {
      return { outcome: await runner.run(own, io), lines: io.lines, workspace };
    } catch (error) {
      return { failure: error as { kind: string; message: string }, lines: io.lines, workspace };
    }
  }
  return { ...world, runner, run } satisfies ScriptWorld;
}
