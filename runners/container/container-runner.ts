import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import type { Container } from "dockerode";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import { StepFailure } from "#core/failure.ts";
import type { Invocation, Runner, RunnerIO } from "#core/runner.ts";
import { type Outcome, succeeded } from "#core/step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import { type Allowances, refuseDisallowed } from "#runners/container/allowances.ts";
import type { ContainerSpec, OutputSpec } from "#runners/container/container-spec.ts";
import { createContainer, findContainer, labelsOf, removeContainer } from "#runners/container/containers.ts";
import { createOptions } from "#runners/container/create-options.ts";
import { engineFailure, isNotFound } from "#runners/container/engine.ts";
import { type Followed, followLog, type LoggedUpTo } from "#runners/container/follow.ts";
import type { Images } from "#runners/container/images.ts";
import {
  type OutputFolder,
  outputFolder,
  prepareOutputFolder,
  readBounded,
} from "#runners/container/output-folder.ts";
import type { PullCredentials } from "#runners/container/pull-credentials.ts";
import { readOutput } from "#runners/container/step-output.ts";
import { refuseFailure, refuseOutput, startFailure } from "#runners/container/verdicts.ts";
import { defaultUser, lendTree } from "#runners/container/workspace-owner.ts";

export interface ContainerServices {
  docker: Docker;
  images: Images;
  expressions: Expressions;
  pullCredentials: PullCredentials;
  /** Folder of the daemon's own for output files; not a workspace. */
  outputRoot: string;
  /** Folder of the daemon's own for what steps keep from one promotion to the next. */
  cacheRoot: string;
  allowed: Allowances;
}

/** Says what to run for an invocation. */
export type Prepare = (invocation: Invocation) => Promise<ContainerSpec>;

/** Runs a step's command in a container of its own, one for each attempt. The container outlives the daemon. */
export function createContainerRunner(services: ContainerServices, prepare: Prepare): Runner {
  const folderOf = (invocation: Invocation) => outputFolder(services.outputRoot, invocation);
  return {
    async run(invocation, io) {
      const spec = await prepare(invocation);
      refuseDisallowed(spec, services.allowed);
      const leftover = await findContainer(services.docker, invocation);
      if (leftover) await removeContainer(leftover);
      const container = await start(services, spec, invocation, io);
      return finish(container, spec, invocation, io, {});
    },
    async reattach(invocation, io) {
      const kept = await folderOf(invocation).keptOutcome();
      if (kept !== undefined) return kept;
      const container = await findContainer(services.docker, invocation);
      if (!container) return undefined;
      const { State } = await container.inspect();
      // Created and never started: the daemon died in between, and nothing has happened yet.
      if (State.Status === "created") return undefined;
      const logged = { stdout: await io.lastLogAt?.("stdout"), stderr: await io.lastLogAt?.("stderr") };
      io.log({ stream: "system", text: "took up the container that an earlier daemon had started" });
      return finish(container, await prepare(invocation), invocation, io, logged);
    },
  };

  async function start(
    { docker, images, pullCredentials, outputRoot, cacheRoot }: ContainerServices,
    spec: ContainerSpec,
    invocation: Invocation,
    io: RunnerIO,
  ): Promise<Container> {
    const say = (text: string) => io.log({ stream: "system", text });
    await images.ensure({
      image: spec.image,
      platform: spec.platform,
      credentials: await pullCredentials.find(invocation.project, spec.image, spec.pullSecrets, (name) =>
        say(`there is no Secret "${name}" to pull the image with`),
      ),
      onProgress: say,
    });
    io.signal.throwIfAborted();
    const user = defaultUser();
    const folder = folderOf(invocation);
    await prepareOutputFolder(folder, spec.files);
    await lendTree(invocation.workspace, user);
    const cacheFolder = join(cacheRoot, invocation.project);
    for (const { name } of spec.caches) await makeCache(cacheFolder, name);
    const container = await createContainer(
      docker,
      createOptions(spec, {
        name: `towpath-${invocation.promotionUid}-${Buffer.from(invocation.alias).toString("hex").slice(0, 40)}-${invocation.attempt}`,
        labels: labelsOf(invocation, outputRoot),
        workspace: invocation.workspace,
        outputFolder: folder.path,
        cacheFolder,
        user: `${user.uid}:${user.gid}`,
      }),
    );
    try {
      await container.start();
    } catch (error) {
      await removeContainer(container);
      throw startFailure(spec, error);
    }
    return container;
  }

  async function finish(
    container: Container,
    spec: ContainerSpec,
    invocation: Invocation,
    io: RunnerIO,
    logged: LoggedUpTo,
  ): Promise<Outcome> {
    const stopFollowing = new AbortController();
    const followed = followLog(container, io, stopFollowing.signal, {
      logged,
      keep: keptStream(spec.output),
    });
    followed.catch(() => undefined);
    const ended = await endOf(container, spec, io.signal);
    if (ended === "leftRunning") {
      stopFollowing.abort();
      await followed.catch(() => undefined);
      throw io.signal.reason;
    }
    const folder = folderOf(invocation);
    try {
      const log = await followed;
      if (io.signal.aborted) throw io.signal.reason;
      await refuseFailure(container, ended.exitCode, spec, log);
      const text = await outputText(spec, invocation, folder, log);
      const output = await readOutput(text, spec.output, services.expressions);
      refuseOutput(spec, output);
      const outcome = succeeded(output);
      await folder.keepOutcome(outcome);
      return outcome;
    } finally {
      await removeContainer(container);
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
  const waited = container.wait().then(
    ({ StatusCode }) => ({ exitCode: StatusCode as number }),
    (error) => {
      throw isNotFound(error)
        ? new StepFailure("errored", "The step's container was removed while it ran", { cause: error })
        : engineFailure("wait for the step's container", error);
    },
  );
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

function keptStream({ type }: OutputSpec): "stdout" | "stderr" | undefined {
  return type === "Stdout" ? "stdout" : type === "Stderr" ? "stderr" : undefined;
}

async function outputText(spec: ContainerSpec, invocation: Invocation, folder: OutputFolder, log: Followed) {
  const { type, path = "" } = spec.output;
  switch (type) {
    case "Pipe":
      return folder.read();
    case "Stdout":
    case "Stderr":
      return log.output();
    case "File": {
      const workspace = await openWorkspace(invocation.workspace);
      return readBounded(await workspace.resolve(path), `"${path}"`);
    }
    default:
      return type satisfies never;
  }
}

/** Any user of the container may write there; on the machine, the folder around it is the daemon's alone. */
async function makeCache(folder: string, name: string): Promise<void> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new StepFailure(
      "config",
      `Cannot make cache "${name}": its name may have letters, digits, "-", "_" and "." only`,
    );
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await mkdir(join(folder, name), { recursive: true });
  await chmod(join(folder, name), 0o777);
}
