import { posix } from "node:path";
import { StepFailure, UserError } from "#core/failure.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import { outputMount, workspaceMount } from "#runners/container/create-options.ts";
import { parseQuantity } from "#runners/container/quantity.ts";

/** What of the machine the operator opens to containers; nothing of it without him. */
export interface Allowances {
  /** Networks that steps may join. */
  networks: readonly string[];
  /** Paths under /dev. */
  devices: readonly string[];
  gpus: boolean;
  /** What a step may write to disk; 10 GiB without it. */
  diskBytes?: number;
}

/**
 * From TOWPATH_CONTAINER_NETWORKS (`bridge`, or names of networks) and TOWPATH_CONTAINER_DEVICES (`gpus`, or
 * paths under /dev), each a list with commas, and TOWPATH_CONTAINER_DISK (such as `2Gi`). Throws a UserError that says what cannot be allowed.
 */
export function allowancesFrom(env: Record<string, string | undefined>): Allowances {
  const networks = listOf(env.TOWPATH_CONTAINER_NETWORKS);
  const shared = networks.find((name) => name === "host" || name.includes(":"));
  if (shared !== undefined) {
    throw new UserError(
      `Cannot use TOWPATH_CONTAINER_NETWORKS "${shared}": steps never share the network of the machine or of another container`,
    );
  }
  const devices = listOf(env.TOWPATH_CONTAINER_DEVICES);
  return {
    networks,
    devices: devices.filter((name) => name !== "gpus"),
    gpus: devices.includes("gpus"),
    diskBytes: diskFrom(env.TOWPATH_CONTAINER_DISK),
  };
}

function diskFrom(text: string | undefined): number | undefined {
  if (!text) return undefined;
  try {
    return parseQuantity(text, "TOWPATH_CONTAINER_DISK");
  } catch (error) {
    throw new UserError((error as Error).message, { cause: error });
  }
}

function listOf(text = ""): string[] {
  return text.split(",").flatMap((part) => part.trim() || []);
}

const reservedNames = ["KARGO_OUTPUT", "TOWPATH_OUTPUT"];
const reservedMounts = [workspaceMount, outputMount, "/proc", "/sys", "/dev"];

/** Throws a StepFailure when a spec asks for what no step may have, or what the operator did not allow. */
export function refuseDisallowed(spec: ContainerSpec, allowed: Allowances): void {
  for (const [name, value] of Object.entries(spec.env)) refuseVariable(name, value);
  for (const { path } of spec.caches) refuseMount(path);
  refuseNetwork(spec.network, allowed);
  for (const device of spec.devices) {
    if (!device.startsWith("/dev/") || !allowed.devices.includes(device)) {
      throw refused(`use device "${device}"`, "the operator did not allow it in TOWPATH_CONTAINER_DEVICES");
    }
  }
  if (spec.gpus !== 0 && !allowed.gpus) {
    throw refused("use GPUs", 'TOWPATH_CONTAINER_DEVICES, which the operator sets, does not hold "gpus"');
  }
}

function refuseVariable(name: string, value: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name)) throw refused(`set variable "${name}"`, "that is no name");
  if (reservedNames.includes(name)) {
    throw refused(`set variable "${name}"`, "it tells the step where its output goes");
  }
  if (value.includes("\0")) throw refused(`set variable "${name}"`, "its value has a NUL character");
}

function refuseMount(path: string): void {
  const mounting = `mount a cache at "${path}"`;
  if (!path.startsWith("/") || posix.normalize(path) !== path || path === "/" || path.includes(":")) {
    throw refused(mounting, "expected an absolute path such as /var/cache/npm");
  }
  const holds = (outer: string, inner: string) => `${inner}/`.startsWith(`${outer.replace(/\/$/, "")}/`);
  const reserved = reservedMounts.find((mount) => holds(mount, path) || holds(path, mount));
  if (reserved !== undefined) throw refused(mounting, `"${reserved}" is reserved`);
}

function refuseNetwork(network: string, { networks }: Allowances): void {
  if (network === "none" || networks.includes(network)) return;
  throw refused(
    `join network "${network}"`,
    networks.length === 0
      ? "containers have none unless the operator allows some in TOWPATH_CONTAINER_NETWORKS"
      : `the operator allows ${networks.join(", ")} in TOWPATH_CONTAINER_NETWORKS`,
  );
}

function refused(what: string, why: string): StepFailure {
  return new StepFailure("refused", `Cannot ${what} in a step's container: ${why}`);
}
