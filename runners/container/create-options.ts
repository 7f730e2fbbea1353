import { join } from "node:path";
import type { ContainerCreateOptions } from "dockerode";
import type { ContainerSpec } from "#runners/container/container-spec.ts";

/** Where the workspace is mounted. */
export const workspaceMount = "/workspace";
/** Where the folder of the output file is mounted. */
export const outputMount = "/towpath";
export const outputFile = `${outputMount}/output`;

export interface Placement {
  name: string;
  labels: Record<string, string>;
  /** Absolute path of the workspace on the engine's machine. */
  workspace: string;
  /** Absolute path of the folder that holds the output file. */
  outputFolder: string;
  /** Absolute path of the folder that keeps the project's caches. */
  cacheFolder: string;
  /** `uid:gid` that the command runs as when the spec names nobody. */
  user: string;
}

/**
 * What the engine is asked for. Every field is set here by name: nothing that a definition says reaches the
 * engine in any other way, so what is not on this list cannot be asked for.
 */
export function createOptions(spec: ContainerSpec, placement: Placement): ContainerCreateOptions {
  return {
    name: placement.name,
    Image: spec.image,
    ...(spec.platform === undefined ? {} : { platform: spec.platform }),
    ...entrypointAndCommand(spec),
    Env: environment(spec),
    User: spec.user ?? placement.user,
    WorkingDir: spec.workingDir ?? workspaceMount,
    Labels: placement.labels,
    AttachStdin: false,
    OpenStdin: false,
    Tty: false,
    StopSignal: "SIGTERM",
    HostConfig: {
      Mounts: [
        ...workspaceMounts(spec, placement),
        { Type: "bind", Source: placement.outputFolder, Target: outputMount, ReadOnly: false },
        ...spec.caches.map(
          ({ name, path }) =>
            ({
              Type: "bind",
              Source: join(placement.cacheFolder, name),
              Target: path,
              ReadOnly: false,
            }) as const,
        ),
      ],
      Devices: spec.devices.map((path) => ({
        PathOnHost: path,
        PathInContainer: path,
        CgroupPermissions: "rw",
      })),
      DeviceRequests: spec.gpus === 0 ? [] : [gpuRequest(spec.gpus)],
      NetworkMode: spec.network,
      ReadonlyRootfs: spec.readOnlyRoot,
      Tmpfs: spec.readOnlyRoot ? { "/tmp": "rw,nosuid,nodev,size=64m" } : {},
      Memory: spec.limits.memoryBytes,
      MemorySwap: spec.limits.memoryBytes,
      NanoCpus: spec.limits.nanoCpus,
      PidsLimit: spec.limits.pids,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      Privileged: false,
      Init: true,
      AutoRemove: false,
      RestartPolicy: { Name: "no" },
      LogConfig: { Type: "json-file", Config: { "max-size": "64m", "max-file": "1" } },
    },
  };
}

function workspaceMounts({ workspace: access = "write" }: ContainerSpec, { workspace }: Placement) {
  if (access === "none") return [];
  return [{ Type: "bind", Source: workspace, Target: workspaceMount, ReadOnly: access === "read" } as const];
}

/**
 * The same for a container that waits for the commands of several steps. Its first process is a shell, which
 * collects what ended; the commands bring their own environment.
 */
export function warmOptions(spec: ContainerSpec, placement: Placement): ContainerCreateOptions {
  const options = createOptions({ ...spec, command: [], entrypoint: idle, env: {} }, placement);
  return { ...options, HostConfig: { ...options.HostConfig, Init: false } };
}

/** Without an end: whoever kills all processes of the container gets a new `sleep`, not an end of the container. */
const idle = ["sh", "-c", "command -v sleep >/dev/null || exit 1; while :; do sleep 2147483647 & wait; done"];

function gpuRequest(gpus: number | "all") {
  return { Driver: "", Count: gpus === "all" ? -1 : gpus, Capabilities: [["gpu"]] };
}

function entrypointAndCommand(spec: ContainerSpec): Pick<ContainerCreateOptions, "Entrypoint" | "Cmd"> {
  const command = [...spec.command];
  if (spec.entrypoint === "keep") return command.length > 0 ? { Cmd: command } : {};
  if (spec.entrypoint !== undefined) return { Entrypoint: [...spec.entrypoint], Cmd: command };
  const [program, ...args] = command;
  return program === undefined ? {} : { Entrypoint: [program], Cmd: args };
}

/** What the command finds in its environment beside what the image sets. */
export function environment(spec: ContainerSpec, output = outputFile): string[] {
  const all = { ...spec.env, KARGO_OUTPUT: output, TOWPATH_OUTPUT: output };
  return Object.entries(all).map(([name, value]) => `${name}=${value}`);
}
