import { mkdir } from "node:fs/promises";
import type { Container, ContainerCreateOptions } from "dockerode";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import type { Invocation } from "#core/runner.ts";
import type { Outcome } from "#core/step.ts";
import { concludeAttempt } from "#runners/container/conclude.ts";
import type { ContainerAttempt, ContainerServices } from "#runners/container/container-services.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import {
  containerName,
  createContainer,
  findContainer,
  labelsOf,
  removeContainer,
} from "#runners/container/containers.ts";
import { createOptions } from "#runners/container/create-options.ts";
import { defaultDiskBytes, usedBytes, watchDisk } from "#runners/container/disk-watch.ts";
import { runFailure } from "#runners/container/engine.ts";
import {
  type FilteredNetwork,
  openFilteredNetwork,
  reopenFilteredNetwork,
} from "#runners/container/filtered/filtered-network.ts";
import { followLog, keptStream, type LoggedUpTo } from "#runners/container/follow.ts";
import { outputFolder, prepareOutputFolder } from "#runners/container/output-folder.ts";
import { digestOf, ensureImage, makeCaches, placeOf } from "#runners/container/placing.ts";
import { startFailure } from "#runners/container/verdicts.ts";
import { lendTree, workspaceOwner } from "#runners/container/workspace-owner.ts";

/** Runs an attempt in a container that nobody else has. */
export async function runInOwn(services: ContainerServices, attempt: ContainerAttempt): Promise<Outcome> {
  const { spec, invocation, io } = attempt;
  const { allow = [] } = spec;
  const usedBefore = await usedBytes(invocation.workspace);
  if (allow.length === 0) {
    return finish(services, await start(services, attempt), attempt, { logged: {}, usedBefore });
  }
  const network = await openFilteredNetwork(services, allow, invocation, io);
  const behind = { ...spec, network: network.mode, env: { ...network.env, ...spec.env } };
  const container = await start(services, { ...attempt, spec: behind }).catch(async (error) => {
    await network.close();
    throw error;
  });
  return finish(services, container, attempt, { logged: {}, usedBefore, network });
}

/** Takes up the container of an attempt that an earlier daemon started; undefined when there is none. */
export async function reattachOwn(
  services: ContainerServices,
  invocation: Invocation,
  attempt: () => Promise<ContainerAttempt>,
): Promise<Outcome | undefined> {
  const container = await findContainer(services.docker, invocation);
  if (!container) return undefined;
  const { State } = await container.inspect();
  // Created and never started: the daemon died in between, and nothing has happened yet.
  if (State.Status === "created") return undefined;
  const taken = await attempt();
  const { io } = taken;
  const logged = { stdout: await io.lastLogAt?.("stdout"), stderr: await io.lastLogAt?.("stderr") };
  io.log({ stream: "system", text: "took up the container that an earlier daemon had started" });
  const { allow = [] } = taken.spec;
  const network =
    allow.length === 0 ? undefined : await reopenFilteredNetwork(services, allow, invocation, io);
  const usedBefore = await usedBytes(invocation.workspace);
  return finish(services, container, taken, { logged, usedBefore, network });
}

/** Creates the container of an invocation that is expected to come, image and all; it is not started. */
export function createAhead(services: ContainerServices, spec: ContainerSpec, invocation: Invocation): void {
  const make = async () => {
    const options = optionsOf(services, spec, invocation);
    await ensureImage(services, spec, invocation.project, () => undefined);
    return { digest: digestOf(options), container: await create(services, spec, invocation, options) };
  };
  services.pool.keepAhead(invocation.promotionUid, nameOf(invocation), make());
}

const nameOf = ({ promotionUid, alias, attempt }: Invocation) => containerName(promotionUid, alias, attempt);

function optionsOf(
  services: ContainerServices,
  spec: ContainerSpec,
  invocation: Invocation,
): ContainerCreateOptions {
  return createOptions(spec, {
    ...placeOf(services, invocation),
    name: nameOf(invocation),
    labels: labelsOf(invocation, services.outputRoot),
    outputFolder: outputFolder(services.outputRoot, invocation).path,
  });
}

async function create(
  services: ContainerServices,
  spec: ContainerSpec,
  invocation: Invocation,
  options: ContainerCreateOptions,
  say: (text: string) => void = () => undefined,
): Promise<Container> {
  await mkdir(outputFolder(services.outputRoot, invocation).path, { recursive: true });
  await makeCaches(spec, placeOf(services, invocation).cacheFolder);
  return createContainer(services.docker, options, () => {
    services.images.forget(spec.image);
    return ensureImage(services, spec, invocation.project, say);
  });
}

async function start(
  services: ContainerServices,
  { spec, invocation, io }: ContainerAttempt,
): Promise<Container> {
  const say = (text: string) => io.log({ stream: "system", text });
  const options = optionsOf(services, spec, invocation);
  await ensureImage(services, spec, invocation.project, say);
  io.signal.throwIfAborted();
  const made = await services.pool.takeAhead(invocation.promotionUid, nameOf(invocation));
  const fits = made?.digest === digestOf(options);
  if (made && !fits) await removeContainer(made.container);
  await prepareOutputFolder(outputFolder(services.outputRoot, invocation), spec.files);
  await lendTree(invocation.workspace, workspaceOwner(spec.user));
  const container = made && fits ? made.container : await create(services, spec, invocation, options, say);
  try {
    await container.start();
  } catch (error) {
    await removeContainer(container);
    throw startFailure(spec, error);
  }
  return container;
}

/** What is known of a container that runs. */
interface Begun {
  logged: LoggedUpTo;
  usedBefore: number;
  network?: FilteredNetwork;
}

async function finish(
  services: ContainerServices,
  container: Container,
  attempt: ContainerAttempt,
  { logged, usedBefore, network }: Begun,
): Promise<Outcome> {
  const { spec, io, invocation } = attempt;
  const stopFollowing = new AbortController();
  const followed = followLog(container, io, stopFollowing.signal, {
    logged,
    keep: keptStream(spec.output),
  });
  followed.catch(() => undefined);
  const folder = outputFolder(services.outputRoot, invocation);
  const tooMuch = watchDisk({
    folders: [invocation.workspace],
    container,
    usedBefore,
    limitBytes: services.allowed.diskBytes ?? defaultDiskBytes,
    signal: stopFollowing.signal,
  });
  tooMuch.catch(() => undefined);
  // While the daemon stops nothing is known for certain: whatever went wrong, the next one looks again.
  let isLeft = false;
  try {
    // The log tells when the engine breaks off, of which the client that waits for the end may hear nothing.
    const brokenOff = followed.then(() => new Promise<never>(() => undefined));
    const ended = await Promise.race([endOf(container, spec, io.signal), tooMuch, brokenOff]);
    if (ended === "leftRunning") {
      stopFollowing.abort();
      await followed.catch(() => undefined);
      throw io.signal.reason;
    }
    const log = await followed;
    if (io.signal.aborted) throw io.signal.reason;
    return await concludeAttempt(services, attempt, { ...ended, container, log, folder });
  } catch (error) {
    isLeft = io.signal.reason instanceof DaemonStopping;
    throw io.signal.aborted ? error : runFailure(error);
  } finally {
    stopFollowing.abort();
    await network?.close({ keepRelay: isLeft });
    if (!isLeft) {
      services.pool.discard(container);
      await folder.remove();
    }
  }
}

/** Waits for the end. An abort stops the container first; a daemon that stops leaves it running. */
async function endOf(
  container: Container,
  spec: ContainerSpec,
  signal: AbortSignal,
): Promise<{ exitCode: number } | "leftRunning"> {
  const waited = container.wait().then(({ StatusCode }) => ({ exitCode: StatusCode as number }));
  const aborted = new Promise<"aborted">((resolve) => {
    if (signal.aborted) resolve("aborted");
    else signal.addEventListener("abort", () => resolve("aborted"), { once: true });
  });
  const first = await Promise.race([waited, aborted]);
  if (first !== "aborted") return first;
  if (signal.reason instanceof DaemonStopping) {
    waited.catch(() => undefined);
    return "leftRunning";
  }
  await container.stop({ t: Math.ceil(spec.stopGraceSeconds) }).catch(() => undefined);
  return waited;
}
