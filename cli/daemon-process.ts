import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "#core/failure.ts";
import { packagePath } from "#core/package.ts";

export interface DaemonProcess {
  server: string;
  token: string;
  pid: number;
  /** Ends it as a service manager would, and waits for it. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

export interface DaemonProcessOptions {
  data: string;
  /** A free one by default. */
  port?: number;
  allowNet?: readonly string[];
}

const secondsToStart = 30;

/** Starts `towpath serve` as a process of its own and waits until it is ready. */
export async function startDaemon(options: DaemonProcessOptions): Promise<DaemonProcess> {
  const port = options.port ?? (await freePort());
  const server = `http://127.0.0.1:${port}`;
  const child = spawn(
    process.execPath,
    [
      packagePath("bin", "towpath.cjs"),
      ...["serve", "--data", options.data, "--port", String(port)],
      ...(options.allowNet ?? []).flatMap((address) => ["--allow-net", address]),
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => said.push(String(chunk)));
  }
  await untilReady(child, server, said);
  return {
    server,
    token: (await readFile(join(options.data, "token"), "utf8")).trim(),
    pid: child.pid as number,
    stop: () => end(child, "SIGTERM"),
    kill: () => end(child, "SIGKILL"),
  };
}

async function untilReady(child: ChildProcess, server: string, said: readonly string[]): Promise<void> {
  for (let waited = 0; waited < secondsToStart; waited += 0.1) {
    if (child.exitCode !== null) break;
    const ready = await fetch(`${server}/readyz`).catch(() => undefined);
    if (ready?.ok) return;
    await sleep(100);
  }
  child.kill();
  throw new UserError(`The daemon did not start. It said:\n${said.join("").trimEnd()}`);
}

async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill(signal);
  await ended;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}
