import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { GateKeeper, GateReply, GateVisit } from "#cli/gate/gate-keeper.ts";

const maxOutputBytes = 1024 * 1024;

/**
 * Runs the command for each visit and replies with what it printed: 200 when it ended well, 500 otherwise.
 * The command is run as it is, by no shell; of the visit it learns through `GATE_…` in its environment.
 */
export function commandKeeper(command: string, args: readonly string[], env: NodeJS.ProcessEnv): GateKeeper {
  return async (visit, signal) => {
    const variables = variablesOf(visit);
    if (Object.values(variables).some((value) => value.includes("\0"))) {
      return { status: 400, text: "A body with a NUL character cannot be handed to the command\n" };
    }
    const folder = await mkdtemp(join(tmpdir(), "towpath-gate-"));
    try {
      return await run(command, args, { ...env, ...variables }, join(folder, "output"), signal);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  };
}

function variablesOf({ method, path, query, body }: GateVisit): Record<string, string> {
  return { GATE_METHOD: method, GATE_PATH: path, GATE_QUERY: query, GATE_BODY: body };
}

/** Both streams go to one file: that keeps the order in which the command wrote. */
async function run(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  outputFile: string,
  signal: AbortSignal,
): Promise<GateReply> {
  const output = await open(outputFile, "a+");
  try {
    signal.throwIfAborted();
    // A group of its own, so that what the command started ends with it.
    const child = spawn(command, args, { env, stdio: ["ignore", output.fd, output.fd], detached: true });
    const stop = () => {
      if (child.pid !== undefined) killGroup(child.pid);
    };
    signal.addEventListener("abort", stop, { once: true });
    try {
      const [exitCode] = await once(child, "exit");
      signal.throwIfAborted();
      return { status: exitCode === 0 ? 200 : 500, text: await readStart(output) };
    } catch (error) {
      signal.throwIfAborted();
      return { status: 500, text: `Cannot run "${command}": ${(error as Error).message}\n` };
    } finally {
      signal.removeEventListener("abort", stop);
    }
  } finally {
    await output.close();
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

async function readStart(output: Awaited<ReturnType<typeof open>>): Promise<string> {
  const { size } = await output.stat();
  const { buffer } = await output.read(Buffer.alloc(Math.min(size, maxOutputBytes)), 0, undefined, 0);
  const cut = size > maxOutputBytes ? `\n(${size - maxOutputBytes} more bytes)\n` : "";
  return buffer.toString("utf8") + cut;
}
