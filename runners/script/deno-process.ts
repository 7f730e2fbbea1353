import { spawn } from "node:child_process";
import { signalGroup } from "#core/exec.ts";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";
import type { RunnerIO } from "#core/runner.ts";
import { createTail } from "#runners/container/tail.ts";
import { createLineSplitter } from "#runners/script/line-splitter.ts";

const graceMilliseconds = 10_000;
/** Bytes of what it said that a failure's message shows. */
const messageTail = 16 * 1024;

export interface DenoProcess {
  args: readonly string[];
  /** Absolute. */
  cwd: string;
  /** All of it but the path of programs: nothing of the daemon's own is passed on. */
  env: Readonly<Record<string, string>>;
}

/**
 * Runs Deno as a process of this machine, what it prints passed on line by line. It leads a process group, which
 * an abort ends by SIGTERM and then SIGKILL, and its input stays open until then: that it closes tells it that
 * the daemon is gone. Throws a StepFailure when it could not be started or did not end well.
 */
export async function runDeno(
  { args, cwd, env }: DenoProcess,
  { signal, log }: Pick<RunnerIO, "signal" | "log">,
) {
  signal.throwIfAborted();
  const child = spawn("deno", args, {
    cwd,
    env: { PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8", ...env },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  const tail = createTail(messageTail);
  for (const stream of ["stdout", "stderr"] as const) {
    const lines = createLineSplitter((text) => {
      if (stream === "stderr") tail.add(text);
      log({ stream, text });
    });
    child[stream].on("data", lines.write).on("end", lines.end);
  }
  child.stdin.on("error", () => undefined);

  let killTimer: NodeJS.Timeout | undefined;
  const stop = () => {
    signalGroup(child, "SIGTERM");
    killTimer = setTimeout(() => signalGroup(child, "SIGKILL"), graceMilliseconds);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    const how = await endOf(child);
    signal.throwIfAborted();
    if (how === undefined) return;
    const said = tail.text(messageTail);
    throw new StepFailure("errored", `The script ${how}${said === "" ? "" : `: ${said}`}`);
  } finally {
    clearTimeout(killTimer);
    signal.removeEventListener("abort", stop);
  }
}

/** How it ended, in words; undefined when it ended well. */
function endOf(child: ReturnType<typeof spawn>): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    child.on("error", (error) => reject(startFailure(error)));
    child.on("exit", () => signalGroup(child, "SIGKILL"));
    child.on("close", (code, signal) => {
      if (signal !== null) resolve(`was ended by ${signal}`);
      else resolve(code === 0 ? undefined : `ended with exit code ${code}`);
    });
  });
}

function startFailure(error: Error): StepFailure {
  if (codeOf(error) !== "ENOENT") return new StepFailure("errored", `Cannot start deno: ${error.message}`);
  return new StepFailure(
    "errored",
    "Cannot run a script as a process: there is no program deno on the daemon's PATH; install Deno 2.9 or newer",
    { cause: error },
  );
}
