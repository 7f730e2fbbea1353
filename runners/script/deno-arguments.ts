import { posix } from "node:path";
import { hostsOfImports } from "#runners/script/script-hosts.ts";
import type { ScriptPlace, ScriptPlan } from "#runners/script/script-plan.ts";

export interface DenoLimits {
  /** Ranges of addresses that the script is kept from. */
  closed: readonly string[];
  heapMegabytes: number;
  /** `host:port` of the proxy that is its only way out: Node's modules ask for leave to reach it, `fetch` does not. */
  proxy?: string;
}

/** Deno's arguments for a script: all that may be is named here, and Deno refuses the rest. */
export function denoArguments(
  { step, read, write }: ScriptPlan,
  place: ScriptPlace,
  { closed, heapMegabytes, proxy }: DenoLimits,
): string[] {
  const { net, env, run } = step.permissions;
  const reached = net.length === 0 || proxy === undefined ? net : [...net, proxy];
  return [
    "run",
    ...unattended,
    "--no-code-cache",
    `--v8-flags=--max-old-space-size=${heapMegabytes}`,
    ...importFlags(step.import),
    ...list("--allow-read", read),
    ...list("--allow-write", write),
    ...list("--allow-env", env),
    ...list("--allow-net", reached),
    ...(net.length === 0 ? [] : list("--deny-net", closed.map(denoHost))),
    ...list("--allow-run", run),
    posix.join(place.folder, "harness.js"),
    place.folder,
  ];
}

/** Nobody is asked, and nothing that lies about is taken for a setting. */
const unattended = ["--quiet", "--no-prompt", "--no-config", "--no-lock", "--node-modules-dir=none"];

/** Deno's arguments for loading modules ahead, which is all that a script may load then. */
export function loadArguments(imports: readonly string[]): string[] {
  const flags = unattended.filter((flag) => flag !== "--no-prompt");
  return ["cache", ...flags, ...importHosts(imports), ...imports];
}

/** Without imports nothing is loaded at all; with some, what was loaded ahead for them is all that there is. */
function importFlags(imports: readonly string[]): string[] {
  if (imports.length === 0) return ["--no-remote", "--no-npm", "--deny-import"];
  // Packages look at variables as a matter of course: they find none, and are not ended for it.
  return ["--cached-only", "--ignore-env", ...importHosts(imports)];
}

function importHosts(imports: readonly string[]): string[] {
  const hosts = hostsOfImports(imports);
  return hosts.length === 0 ? ["--deny-import"] : list("--allow-import", hosts);
}

/** Nothing for an empty list: without a value these flags would mean everything. A comma is written as two. */
function list(flag: string, values: readonly string[]): string[] {
  return values.length === 0
    ? []
    : [`${flag}=${values.map((value) => value.replaceAll(",", ",,")).join(",")}`];
}

/** Deno writes IPv6 addresses in brackets, and single addresses without the length of their prefix. */
function denoHost(range: string): string {
  const address = range.replace(/\/(32|128)$/, "");
  return address.includes(":") ? `[${address}]` : address;
}

/** Of the memory that the whole of Deno may have, what is JavaScript's. */
export function heapMegabytes(memoryBytes: number): number {
  return Math.max(16, Math.floor((memoryBytes / 2 ** 20) * 0.75));
}

/** Environment of Deno itself, without anything of the daemon's; it finds what it loaded by the registry's address. */
export function denoEnvironment(
  cache: string,
  loading: Readonly<Record<string, string>>,
): Record<string, string> {
  const { NPM_CONFIG_REGISTRY: registry } = loading;
  return {
    DENO_DIR: cache,
    DENO_NO_UPDATE_CHECK: "1",
    DENO_NO_PACKAGE_JSON: "1",
    NO_COLOR: "1",
    ...(registry === undefined ? {} : { NPM_CONFIG_REGISTRY: registry }),
  };
}
