import { createHash } from "node:crypto";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container } from "dockerode";
import { parseHostList } from "#core/egress/host-list.ts";
import { StepFailure } from "#core/failure.ts";
import type { Invocation, RunnerIO } from "#core/runner.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import {
  containerName,
  createContainer,
  removeContainer,
  sharedLabels,
} from "#runners/container/containers.ts";
import { engineFailure } from "#runners/container/engine.ts";
import { type ForwardProxy, startForwardProxy } from "#runners/container/filtered/forward-proxy.ts";
import {
  ensureRelayImage,
  relayAddress,
  relayCommand,
  relayMount,
  socketName,
} from "#runners/container/filtered/relay-image.ts";
import { defaultUser } from "#runners/container/workspace-owner.ts";

/**
 * A network of a single step, from which only the listed hosts can be reached. It is a network without any
 * interface but loopback, which the step shares with a relay; behind the relay is a socket on which a proxy of the
 * daemon's listens for this step alone. There is no gateway, no name server and no other container to be reached.
 */
export interface FilteredNetwork {
  /** As the engine calls it. */
  mode: string;
  /** What programs read to find the proxy. */
  env: Record<string, string>;
  /** Ends the proxy; with `keepRelay`, a later daemon can open it again. */
  close(options?: { keepRelay?: boolean }): Promise<void>;
}

type Services = Pick<ContainerServices, "docker" | "pool" | "outputRoot" | "egress">;

const secondsToStart = 20;

/** Opens the network before the step's container is created. Throws a StepFailure. */
export async function openFilteredNetwork(
  services: Services,
  hosts: readonly string[],
  invocation: Invocation,
  io: RunnerIO,
): Promise<FilteredNetwork> {
  const { docker } = services;
  const image = await ensureRelayImage(docker);
  const folder = folderOf(services, invocation);
  const proxy = await listen(services, hosts, folder, io);
  let relay: Container | undefined;
  try {
    relay = await createContainer(
      docker,
      relayOptions(services, invocation, image, folder),
      async () => undefined,
    );
    await relay.start();
    const late = sleep(secondsToStart * 1000, "late", { ref: false });
    if ((await Promise.race([proxy.reached, late])) === "late") {
      throw new StepFailure("errored", "The relay to the step's hosts did not start");
    }
  } catch (error) {
    await proxy.close();
    if (relay) await removeContainer(relay);
    throw engineFailure("start the relay to the step's hosts", error);
  }
  return networkOf(services, relay, proxy, folder);
}

/** Listens again for a relay that an earlier daemon started. */
export async function reopenFilteredNetwork(
  services: Services,
  hosts: readonly string[],
  invocation: Invocation,
  io: RunnerIO,
): Promise<FilteredNetwork> {
  const folder = folderOf(services, invocation);
  const proxy = await listen(services, hosts, folder, io);
  return networkOf(services, services.docker.getContainer(relayName(invocation)), proxy, folder);
}

function networkOf(
  { pool }: Services,
  relay: Container,
  proxy: ForwardProxy,
  folder: string,
): FilteredNetwork {
  const address = `http://${relayAddress}`;
  const local = "localhost,127.0.0.1,::1";
  return {
    mode: `container:${relay.id}`,
    env: {
      ...{ HTTP_PROXY: address, HTTPS_PROXY: address, NO_PROXY: local },
      ...{ http_proxy: address, https_proxy: address, no_proxy: local },
    },
    async close({ keepRelay = false } = {}) {
      await proxy.close();
      if (keepRelay) return;
      pool.discard(relay);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listen(
  { egress }: Services,
  hosts: readonly string[],
  folder: string,
  io: RunnerIO,
): Promise<ForwardProxy> {
  if (egress === undefined) {
    throw new StepFailure(
      "refused",
      "Cannot open single hosts to a container: there is no egress policy here",
    );
  }
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o755);
  return startForwardProxy({
    socket: join(folder, socketName),
    hosts: parseHostList(hosts),
    egress,
    onRefusal: (text) => io.log({ stream: "system", text: `not let through: ${text}` }),
  });
}

/** A short name: the path of a socket may have 107 bytes. */
function folderOf({ outputRoot }: Services, { promotionUid, alias, attempt }: Invocation): string {
  const name = createHash("sha256")
    .update(JSON.stringify([alias, attempt]))
    .digest("hex")
    .slice(0, 8);
  return join(outputRoot, promotionUid, name);
}

const relayName = ({ promotionUid, alias, attempt }: Invocation) =>
  containerName(promotionUid, "relay", alias, attempt);

function relayOptions({ outputRoot }: Services, invocation: Invocation, image: string, folder: string) {
  const { uid, gid } = defaultUser();
  return {
    name: relayName(invocation),
    Image: image,
    Entrypoint: relayCommand,
    User: `${uid}:${gid}`,
    Labels: sharedLabels(invocation, outputRoot),
    HostConfig: {
      Mounts: [{ Type: "bind", Source: folder, Target: relayMount, ReadOnly: true } as const],
      NetworkMode: "none",
      ReadonlyRootfs: true,
      Memory: 128 * 2 ** 20,
      MemorySwap: 128 * 2 ** 20,
      PidsLimit: 64,
      CapDrop: ["ALL"],
      SecurityOpt: ["no-new-privileges:true"],
      Privileged: false,
      LogConfig: { Type: "json-file", Config: { "max-size": "1m", "max-file": "1" } },
    },
  };
}
