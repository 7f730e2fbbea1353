import { describe, expect, it } from "vitest";
import type { Invocation } from "#core/runner.ts";
import { allowancesFrom, refuseDisallowed } from "#runners/container/allowances.ts";
import { prepareInlineContainer } from "#runners/container/inline-container.ts";

const nothing = allowancesFrom({});
const prepare = (config: Record<string, unknown>) =>
  prepareInlineContainer({ config: { image: "busybox", ...config } } as Pick<Invocation, "config">);
const refusalOf = (config: Record<string, unknown>, allowed = nothing): string => {
  try {
    refuseDisallowed(prepare(config), allowed);
    return "";
  } catch (error) {
    return (error as Error).message;
  }
};

describe("what a container may ask for", () => {
  it.each([
    { config: { env: { KARGO_OUTPUT: "x" } }, says: 'variable "KARGO_OUTPUT"' },
    { config: { env: { TOWPATH_OUTPUT: "x" } }, says: 'variable "TOWPATH_OUTPUT"' },
    { config: { env: { "A=B": "x" } }, says: "that is no name" },
    { config: { env: { A: "x\0y" } }, says: "NUL" },
    { config: { caches: [{ name: "a", path: "/workspace/sub" }] }, says: '"/workspace" is reserved' },
    { config: { caches: [{ name: "a", path: "/towpath" }] }, says: '"/towpath" is reserved' },
    { config: { caches: [{ name: "a", path: "/proc/sys" }] }, says: '"/proc" is reserved' },
    { config: { caches: [{ name: "a", path: "/" }] }, says: "absolute path" },
    { config: { caches: [{ name: "a", path: "cache" }] }, says: "absolute path" },
    { config: { caches: [{ name: "a", path: "/a/../workspace" }] }, says: "absolute path" },
    { config: { network: { mode: "bridge" } }, says: "TOWPATH_CONTAINER_NETWORKS" },
    { config: { network: { mode: "host" } }, says: 'network "host"' },
    { config: { network: { mode: "container:other" } }, says: 'network "container:other"' },
    { config: { devices: ["/dev/fuse"] }, says: "TOWPATH_CONTAINER_DEVICES" },
    { config: { gpus: "all" }, says: "GPUs" },
  ])("refuses $config", ({ config, says }) => {
    expect(refusalOf(config)).toContain(says);
  });

  it("gives what the operator allows, and nothing next to it", () => {
    const allowed = allowancesFrom({
      TOWPATH_CONTAINER_NETWORKS: "bridge, build",
      TOWPATH_CONTAINER_DEVICES: "/dev/fuse,gpus",
    });
    const config = { network: { mode: "build" }, devices: ["/dev/fuse"], gpus: 1 };
    expect(refusalOf(config, allowed)).toBe("");
    expect(refusalOf({ network: { mode: "other" } }, allowed)).toContain("bridge, build");
    expect(refusalOf({ devices: ["/dev/sda"] }, allowed)).toContain("/dev/sda");
  });

  it("cannot be told to share the machine's network", () => {
    expect(() => allowancesFrom({ TOWPATH_CONTAINER_NETWORKS: "bridge,host" })).toThrow('"host"');
  });

  it.each([
    { config: { script: "true", command: ["true"] }, says: "Give either script or command" },
    { config: { privileged: true }, says: "privileged" },
    { config: { network: { mode: "bridge", allow: ["example.com"] } }, says: "network.allow" },
    { config: { network: { allow: ["example.com/path"] } }, says: "network.allow" },
  ])("does not read $config", ({ config, says }) => {
    expect(() => prepare(config)).toThrow(says);
  });

  it("reads how much of the disk a step may fill", () => {
    expect(allowancesFrom({ TOWPATH_CONTAINER_DISK: "2Gi" }).diskBytes).toBe(2 ** 31);
    expect(() => allowancesFrom({ TOWPATH_CONTAINER_DISK: "lots" })).toThrow("TOWPATH_CONTAINER_DISK");
  });

  it("fits limits to the engine's bounds", () => {
    const { limits } = prepare({ resources: { limits: { cpu: "4096", memory: "1Ki" } } });
    expect(limits.nanoCpus).toBeLessThan(4096e9);
    expect(limits.memoryBytes).toBe(6 * 2 ** 20);
  });
});
