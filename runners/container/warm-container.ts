import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Container, ContainerCreateOptions } from "dockerode";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import type { Invocation } from "#core/runner.ts";
import type { Outcome } from "#core/step.ts";
import type { ContainerAttempt, ContainerServices } from "#runners/container/container-services.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import {
  containerName,
  createContainer,
  removeContainer,
  sharedLabels,
} from "#runners/container/containers.ts";
import { environment, outputMount, warmOptions, workspaceMount } from "#runners/container/create-options.ts";
import { isNotFound } from "#runners/container/engine.ts";
import { wrapped } from "#runners/container/marks.ts";
import { outputFolder, prepareOutputFolder } from "#runners/container/output-folder.ts";
import { digestOf, ensureImage, makeCaches, placeOf } from "#runners/container/placing.ts";
import type { WarmContainer } from "#runners/container/pool.ts";
import { finishShared, type SharedCommand } from "#runners/container/shared-command.ts";
import { startFailure } from "#runners/container/verdicts.ts";
import { lendTree, workspaceOwner } from "#runners/container/workspace-owner.ts";

/** Where an attempt in a shared container is found again after a restart of the daemon. */
interface Trace {
  container: string;
  exec: string;
  mark: string;
  since: number;
  /** The folder of the promotion's output that the container has. */
  within: string;
}

/**
 * Runs an attempt as one more command of a container that steps of the promotion share. The next one uses it only
 * if this one succeeds; otherwise it goes, with all that may have been left in it. Undefined when the image
 * cannot be kept running, or the container has ended, and nothing has happened.
 */
export async function runInWarm(
  services: ContainerServices,
  attempt: ContainerAttempt,
): Promise<Outcome | undefined> {
  const { invocation, io } = attempt;
  const { pool } = services;
  const { promotionUid } = invocation;
  const say = (text: string) => io.log({ stream: "system", text });
  const plan = planOf(services, attempt.spec, invocation);
  await ensureImage(services, attempt.spec, invocation.project, say);
  io.signal.throwIfAborted();
  const warm = await pool.takeWarm(promotionUid, plan.digest, () => startWarm(services, attempt, plan, say));
  if (warm === undefined) return undefined;
  try {
    const command = await createCommand(services, attempt, plan, warm);
    if (command === undefined) {
      pool.dropWarm(promotionUid, plan.digest, warm);
      return undefined;
    }
    const { outcome, until, isPaused } = await finishShared(services, attempt, command, "start");
    if (isPaused) pool.returnWarm(promotionUid, plan.digest, { ...warm, since: until, isPaused });
    else pool.dropWarm(promotionUid, plan.digest, warm);
    return outcome;
  } catch (error) {
    if (!(io.signal.reason instanceof DaemonStopping)) pool.dropWarm(promotionUid, plan.digest, warm);
    throw error;
  }
}

/** Takes up an attempt that an earlier daemon started in a shared container; undefined when there is none. */
export async function reattachWarm(
  services: ContainerServices,
  invocation: Invocation,
  attempt: () => Promise<ContainerAttempt>,
): Promise<Outcome | undefined> {
  const trace = await outputFolder(services.outputRoot, invocation).keptTrace<Trace>();
  if (trace === undefined) return undefined;
  const container = services.docker.getContainer(trace.container);
  const exec = services.docker.getExec(trace.exec);
  const begun = await hasBegun(exec);
  if (begun === false || !(await isThere(container))) {
    await removeContainer(container);
    return undefined;
  }
  const taken = await attempt();
  const { io } = taken;
  const logged = { stdout: await io.lastLogAt?.("stdout"), stderr: await io.lastLogAt?.("stderr") };
  io.log({ stream: "system", text: "took up the command that an earlier daemon had started" });
  const folder = outputFolder(services.outputRoot, invocation, trace.within);
  const { mark, since } = trace;
  const command = { container, since, exec, mark, folder, logged };
  try {
    return (await finishShared(services, taken, command, "follow")).outcome;
  } finally {
    // Of no use to the next step: only the daemon that started it knows what it was made from.
    if (!(io.signal.reason instanceof DaemonStopping)) services.pool.discard(container);
  }
}

/** Starts the container of an invocation that is expected to come, unless a step has one of its kind. */
export function startAhead(services: ContainerServices, spec: ContainerSpec, invocation: Invocation): void {
  const plan = planOf(services, spec, invocation);
  const nobody = () => undefined;
  services.pool.keepWarm(invocation.promotionUid, plan.digest, async () => {
    await ensureImage(services, spec, invocation.project, nobody);
    return startWarm(services, { spec, invocation }, plan, nobody);
  });
}

interface Plan {
  /** Tells containers that may be shared from those that differ in anything. */
  digest: string;
  options: ContainerCreateOptions;
  within: string;
}

function planOf(services: ContainerServices, spec: ContainerSpec, invocation: Invocation): Plan {
  const place = {
    ...placeOf(services, invocation),
    labels: sharedLabels(invocation, services.outputRoot),
  };
  const digest = digestOf(warmOptions(spec, { ...place, name: "", outputFolder: "" }));
  const within = `shared-${digest.slice(0, 16)}`;
  const options = warmOptions(spec, {
    ...place,
    name: containerName(invocation.promotionUid, within, randomUUID()),
    outputFolder: join(services.outputRoot, invocation.promotionUid, within),
  });
  return { digest, options, within };
}

async function startWarm(
  services: ContainerServices,
  { spec, invocation }: Pick<ContainerAttempt, "spec" | "invocation">,
  { options, within }: Plan,
  say: (text: string) => void,
): Promise<WarmContainer | undefined> {
  await mkdir(join(services.outputRoot, invocation.promotionUid, within), { recursive: true });
  await makeCaches(spec, placeOf(services, invocation).cacheFolder);
  const container = await createContainer(services.docker, options, () => {
    services.images.forget(spec.image);
    return ensureImage(services, spec, invocation.project, say);
  });
  try {
    await container.start();
    return { container, since: 0 };
  } catch (error) {
    await removeContainer(container);
    const failure = startFailure({ ...spec, command: ["sh"] }, error);
    if (failure.kind === "config") return undefined;
    throw failure;
  }
}

/** Makes the command known to the engine, and to a later daemon; undefined when the container does not run. */
async function createCommand(
  services: ContainerServices,
  { spec, invocation }: ContainerAttempt,
  { options, within }: Plan,
  { container, since, isPaused }: WarmContainer,
): Promise<SharedCommand | undefined> {
  const folder = outputFolder(services.outputRoot, invocation, within);
  await prepareOutputFolder(folder, spec.files);
  await lendTree(invocation.workspace, workspaceOwner(spec.user));
  const mark = randomUUID();
  const wanted = {
    Cmd: wrapped(await argumentsOf(services, spec), mark),
    Env: environment(spec, `${outputMount}/${folder.name}/output`),
    User: options.User,
    WorkingDir: spec.workingDir ?? workspaceMount,
    AttachStdout: true,
    AttachStderr: true,
  };
  // Not before all is prepared: whatever the command before left runs again, too.
  if (isPaused && !(await wasResumed(container))) return undefined;
  const created = await container.exec(wanted).catch((error) => {
    if (isNotFound(error) || (error as { statusCode?: number }).statusCode === 409) return undefined;
    throw error;
  });
  if (created === undefined) return undefined;
  await folder.keepTrace({ container: container.id, exec: created.id, mark, since, within } satisfies Trace);
  return { container, since, exec: created, mark, folder, logged: {} };
}

/** False for a container that was killed or removed meanwhile. */
function wasResumed(container: Container): Promise<boolean> {
  return container.unpause().then(
    () => true,
    () => false,
  );
}

/** All that is run, what the image brings of it included. */
async function argumentsOf(
  { images }: ContainerServices,
  { image, entrypoint, command }: ContainerSpec,
): Promise<string[]> {
  if (entrypoint !== "keep" && entrypoint !== undefined) return [...entrypoint, ...command];
  if (entrypoint === undefined && command.length > 0) return [...command];
  const { Config } = await images.inspect(image);
  const own = [Config.Entrypoint ?? []].flat();
  return [...own, ...(command.length > 0 ? command : [Config.Cmd ?? []].flat())];
}

/** Undefined when the engine does not know the command any more. */
async function hasBegun(
  exec: ReturnType<ContainerServices["docker"]["getExec"]>,
): Promise<boolean | undefined> {
  try {
    const { Running, ExitCode } = await exec.inspect();
    return Running || ExitCode !== null;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

async function isThere(container: Container): Promise<boolean> {
  try {
    await container.inspect();
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}
