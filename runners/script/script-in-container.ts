import { createHash } from "node:crypto";
import type { Invocation } from "#core/runner.ts";
import type { ScriptStep } from "#core/script-step.ts";
import type { Allowances } from "#runners/container/allowances.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import { outputMount, workspaceMount } from "#runners/container/create-options.ts";
import { toContainerSpec } from "#runners/container/custom-step.ts";
import {
  denoArguments,
  denoEnvironment,
  heapMegabytes,
  loadArguments,
} from "#runners/script/deno-arguments.ts";
import { planScript, type ScriptPlace, workspaceAccess } from "#runners/script/script-plan.ts";
import type { ScriptSettings } from "#runners/script/script-settings.ts";

const place: ScriptPlace = { folder: outputMount, workspace: workspaceMount };
const moduleMount = "/deno-dir";

export interface ContainedScript {
  settings: ScriptSettings;
  allowed: Allowances;
  /** Ranges of addresses that the script is kept from. */
  closed: readonly string[];
}

/** The container of a script: what its permissions leave out is not there, or not writable. */
export async function scriptContainer(
  invocation: Invocation,
  { settings, allowed, closed }: ContainedScript,
): Promise<ContainerSpec> {
  const plan = await planScript(invocation, place, { watchInput: false });
  const { step } = plan;
  const base = baseOf(step, settings);
  const args = denoArguments(plan, place, { closed, heapMegabytes: heapMegabytes(base.limits.memoryBytes) });
  return {
    ...base,
    command: ["deno", ...args],
    env: denoEnvironment(step.import.length === 0 ? "/tmp/deno" : moduleMount, settings.loading),
    network: step.permissions.net.length === 0 ? "none" : networkOf(step, allowed),
    files: plan.files,
    workspace: workspaceAccess(step),
    caches: step.import.length === 0 ? [] : [{ name: moduleCache(step, settings), path: moduleMount }],
  };
}

/** The container that loads a script's modules into the cache, and sees nothing else. */
export function loadingContainer(step: ScriptStep, { settings, allowed }: ContainedScript): ContainerSpec {
  return {
    ...baseOf(step, settings),
    command: ["deno", ...loadArguments(step.import)],
    env: { ...settings.loading, ...denoEnvironment(moduleMount, settings.loading) },
    network: networkOf(step, allowed),
    workspace: "none",
    caches: [{ name: moduleCache(step, settings), path: moduleMount }],
    output: { type: "Pipe", format: "Text" },
  };
}

/** Names the cache of one list of imports: what another list loaded is not in it. */
export function moduleCache(step: ScriptStep, { image, loading }: ScriptSettings): string {
  const what = [step.image ?? image, loading.NPM_CONFIG_REGISTRY ?? "", ...step.import.toSorted()];
  return `deno-${createHash("sha256").update(JSON.stringify(what)).digest("hex").slice(0, 16)}`;
}

function baseOf({ image, resources }: ScriptStep, settings: ScriptSettings): ContainerSpec {
  const options = {
    image: image ?? settings.image,
    resources,
    readOnlyRoot: true,
    output: { source: { type: "Pipe", format: "JSON" } },
  } as const;
  return toContainerSpec(options, [], {});
}

/** The one that the step names, or else the first that is allowed; `bridge` is what an error would be about. */
function networkOf({ network }: ScriptStep, { networks }: Allowances): string {
  if (network !== undefined) return network;
  return networks.includes("bridge") ? "bridge" : (networks[0] ?? "bridge");
}
