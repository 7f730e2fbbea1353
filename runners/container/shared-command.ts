import type { Duplex } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container, Exec } from "dockerode";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import { StepFailure } from "#core/failure.ts";
import type { Outcome } from "#core/step.ts";
import { concludeAttempt } from "#runners/container/conclude.ts";
import type { ContainerAttempt, ContainerServices } from "#runners/container/container-services.ts";
import { defaultDiskBytes, usedBytes, watchDisk } from "#runners/container/disk-watch.ts";
import { engineFailure, runFailure } from "#runners/container/engine.ts";
import { keptStream, type LoggedUpTo } from "#runners/container/follow.ts";
import type { OutputFolder } from "#runners/container/output-folder.ts";
import { followSection, type Section } from "#runners/container/section.ts";

/** A command of one step in a container that others use too. */
export interface SharedCommand {
  container: Container;
  exec: Exec;
  /** What marks its lines in the container's log. */
  mark: string;
  /** Where in the log its lines may begin, as seconds since the epoch. */
  since: number;
  folder: OutputFolder;
  logged: LoggedUpTo;
}

/** How long the end of a command's log may come after the command's own. */
const logDelayMs = 2000;
/** How often the engine is asked after a command that an earlier daemon started. */
const pollMs = 1000;

/**
 * Starts the command, or follows one that was started, to its end. An abort ends its processes; a daemon that stops
 * leaves them. Returns what came of it, when its log ended and whether the container stands still. Throws a
 * StepFailure.
 */
export async function finishShared(
  services: ContainerServices,
  attempt: ContainerAttempt,
  command: SharedCommand,
  how: "start" | "follow",
): Promise<{ outcome: Outcome; until: number; isPaused: boolean }> {
  const { spec, io } = attempt;
  const { container, exec, folder } = command;
  const { workspace } = attempt.invocation;
  const usedBefore = await usedBytes(workspace);
  const over = new AbortController();
  let group: number | undefined;
  let still: Promise<boolean> | undefined;
  const following = followSection(container, io, over.signal, {
    ...command,
    keep: keptStream(spec.output),
    onBegin: (number) => {
      group = number;
    },
  });
  following.catch(() => undefined);
  try {
    const ended = (how === "start" ? runExec(exec) : untilOver(exec, over.signal)).then(() =>
      sleep(logDelayMs, undefined, { signal: over.signal }),
    );
    ended.catch(() => undefined);
    const end = Promise.race([following, ended]);
    const tooMuch = watchDisk({
      folders: [workspace],
      container,
      usedBefore,
      limitBytes: services.allowed.diskBytes ?? defaultDiskBytes,
      signal: over.signal,
    });
    await Promise.race([end, abortOf(io.signal, over.signal), tooMuch]);
    if (io.signal.aborted) {
      if (!(io.signal.reason instanceof DaemonStopping)) {
        if (group !== undefined) await terminate(container, group);
        await Promise.race([end, sleep(spec.stopGraceSeconds * 1000, undefined, { signal: over.signal })]);
      }
      throw io.signal.reason;
    }
    over.abort();
    const section = await following;
    const exitCode = section.exitCode ?? (await lostEnd(container, exec, section));
    still = standStill(container);
    const isPaused = await still;
    const outcome = await concludeAttempt(services, attempt, { ...section, exitCode, container, folder });
    return { outcome, until: section.until, isPaused };
  } catch (error) {
    throw io.signal.aborted ? error : runFailure(error);
  } finally {
    over.abort();
    if (!(io.signal.reason instanceof DaemonStopping)) {
      await (still ?? standStill(container));
      await folder.remove();
    }
  }
}

/**
 * Has nothing run in the container from now on: a command may tell of an end that it has not come to, and leave
 * processes that change the workspace under the hands of later steps, which run in the daemon. Where the engine
 * cannot pause it (false), the container is killed.
 */
async function standStill(container: Container): Promise<boolean> {
  try {
    await container.pause();
    return true;
  } catch {
    await container.kill().catch(() => undefined);
    return false;
  }
}

/** Settles when the process has ended. All that it says goes into the container's log, not here. */
async function runExec(exec: Exec): Promise<void> {
  const stream: Duplex = await exec.start({ hijack: true, stdin: false }).catch((error) => {
    throw engineFailure("start the step in its promotion's container", error);
  });
  stream.resume();
  await new Promise<void>((resolve) => {
    stream
      .once("end", resolve)
      .once("close", resolve)
      .once("error", () => resolve());
  });
}

async function untilOver(exec: Exec, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { Running } = await exec.inspect().catch(() => ({ Running: false }));
    if (!Running) return;
    await sleep(pollMs, undefined, { signal });
  }
}

async function abortOf(signal: AbortSignal, until: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true, signal: until });
  });
}

/** Sends SIGTERM to the command's process group; a container that is gone has none. */
async function terminate(container: Container, group: number): Promise<void> {
  try {
    const kill = await container.exec({ Cmd: ["sh", "-c", `kill -s TERM -- -${group}`] });
    await kill.start({ Detach: true });
  } catch {
    // The container is removed next, whatever is left in it.
  }
}

/** A command whose end is not in the log was killed with its container, or took away what tells of it. */
async function lostEnd(container: Container, exec: Exec, { log }: Section): Promise<number> {
  const [state, execState] = await Promise.all([
    container.inspect().then(
      ({ State }) => State,
      () => undefined,
    ),
    exec.inspect().catch(() => undefined),
  ]);
  if (state === undefined) throw new StepFailure("errored", "The step's container was removed while it ran");
  const code = execState?.ExitCode;
  if (typeof code === "number" && code !== 0) return code;
  if (!state.Running) return state.ExitCode || 137;
  const said = log.tail("stderr");
  throw new StepFailure("errored", `The command ended without telling how${said ? `: ${said}` : ""}`);
}
