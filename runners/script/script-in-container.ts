import { createHash } from "node:crypto";
import type { Invocation } from "#core/runner.ts";
import type { ScriptStep } from "#core/script-step.ts";
import type { Allowances } from "#runners/container/allowances.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import { outputMount, workspaceMount } from "#runners/container/create-options.ts";
import { toContainerSpec } from "#runners/container/custom-step.ts";
import { relayAddress } from "#runners/container/filtered/relay-image.ts";
import {
  denoArguments,
  denoEnvironment,
  heapMegabytes,
  loadArguments,
} from "#runners/script/deno-arguments.ts";
import { hostsOfImports, registryHost, toHostList } from "#runners/script/script-hosts.ts";
import { planScript, type ScriptPlace, workspaceAccess } from "#runners/script/script-plan.ts";
import type { ScriptSettings } from "#runners/script/script-settings.ts";

const place: ScriptPlace = { folder: outputMount, workspace: workspaceMount };
const moduleMount = "/deno-dir";

export interface ContainedScript {
  settings: ScriptSettings;
  /** Ranges of addresses that the script is kept from. */
  closed: readonly string[];
}

/** The container of a script: what its permissions leave out is not there, or not writable. */
export async function scriptContainer(
  invocation: Invocation,
  { settings, closed }: ContainedScript,
): Promise<ContainerSpec> {
  const plan = await planScript(invocation, place, { watchInput: false });
  const { step } = plan;
  const base = baseOf(step, settings);
  const isFiltered = onlyReachesHosts(step);
  const args = denoArguments(plan, place, {
    // Nothing is there but the proxy, which holds them itself against what it connects to.
    closed: isFiltered ? [] : closed,
    heapMegabytes: heapMegabytes(base.limits.memoryBytes),
    proxy: isFiltered ? relayAddress : undefined,
  });
  return {
    ...base,
    command: ["deno", ...args],
    env: {
      ...denoEnvironment(step.import.length === 0 ? "/tmp/deno" : moduleMount, settings.loading),
      ...(isFiltered ? allThroughProxy : {}),
    },
    network: step.permissions.net.length === 0 ? "none" : (step.network ?? "none"),
    allow: isFiltered ? toHostList(step.permissions.net) : [],
    files: plan.files,
    workspace: workspaceAccess(step),
    caches: step.import.length === 0 ? [] : [{ name: moduleCache(step, settings), path: moduleMount }],
  };
}

/** The container that loads a script's modules into the cache, and sees nothing else. */
export function loadingContainer(
  step: ScriptStep,
  { settings, allowed }: { settings: ScriptSettings; allowed: Allowances },
): ContainerSpec {
  const isFiltered = step.network === undefined && !hasOwnProxy(settings);
  return {
    ...baseOf(step, settings),
    command: ["deno", ...loadArguments(step.import)],
    env: {
      ...settings.loading,
      ...denoEnvironment(moduleMount, settings.loading),
      ...(isFiltered ? allThroughProxy : {}),
    },
    network: isFiltered ? "none" : (step.network ?? firstAllowed(allowed)),
    allow: isFiltered ? hostsToLoadFrom(step, settings) : [],
    workspace: "none",
    caches: [{ name: moduleCache(step, settings), path: moduleMount }],
    output: { type: "Pipe", format: "Text" },
  };
}

/** Modules of any origin may need packages of npm. */
function hostsToLoadFrom(step: ScriptStep, { loading }: ScriptSettings): string[] {
  const registry = registryHost(loading.NPM_CONFIG_REGISTRY);
  return [...hostsOfImports(step.import), ...(registry === undefined ? [] : [registry])];
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

/** Whether a script has no network but the way to the hosts of its permissions. */
export function onlyReachesHosts({ network, permissions }: ScriptStep): boolean {
  return network === undefined && permissions.net.length > 0;
}

/**
 * Makes Node's modules heed the proxy as Deno's do, and leads the machine's own names to it, too: its policy knows
 * whether they are open, and the container has nothing of that name.
 */
const allThroughProxy = { NODE_USE_ENV_PROXY: "1", NO_PROXY: "", no_proxy: "" };

/** Where the operator has a proxy for modules, it must be reached itself. */
const hasOwnProxy = ({ loading }: ScriptSettings) =>
  loading.HTTP_PROXY !== undefined || loading.HTTPS_PROXY !== undefined;

/** `bridge` is what an error would be about. */
function firstAllowed({ networks }: Allowances): string {
  return networks.includes("bridge") ? "bridge" : (networks[0] ?? "bridge");
}
