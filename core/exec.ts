import { type ChildProcess, spawn } from "node:child_process";
import { tmpdir } from "node:os";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";
import type { Exec, ExecOptions, ExecResult } from "#core/step.ts";

const defaultMaxOutputBytes = 64 * 1024 * 1024;
const defaultGraceMilliseconds = 5_000;
/** How much of what a program said goes into an error. */
const quotedCharacters = 4_000;

export interface ExecSettings {
  /** Where programs run, absolute. */
  cwd: string;
  /** Ends every program that is running, and its children. */
  signal?: AbortSignal;
  /** Added to the minimal environment of every program. */
  env?: Record<string, string>;
  /** Between SIGTERM and SIGKILL; 5 seconds by default. */
  graceMilliseconds?: number;
}

/**
 * Runs programs. Each leads a process group of its own, which is ended with it: by SIGTERM and then SIGKILL
 * on abort, time-out or too much output, and at once for what is left of it when the program exits.
 */
export function createExec(settings: ExecSettings): Exec {
  return async (program, args, options = {}) => {
    settings.signal?.throwIfAborted();
    const result = await runToEnd(settings, program, args, options);
    if ((options.exitCodes ?? [0]).includes(result.exitCode)) return result;
    throw new StepFailure("errored", `Cannot run ${nameOf(program, args)}: ${exitReason(result)}`);
  };
}

async function runToEnd(
  settings: ExecSettings,
  program: string,
  args: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const what = nameOf(program, args);
  const child = spawn(program, args, {
    cwd: path.resolve(settings.cwd, options.cwd ?? "."),
    env: { ...minimalEnvironment(), ...settings.env, ...options.env },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });

  return await new Promise<ExecResult>((resolve, reject) => {
    let failure: unknown;
    let killTimer: NodeJS.Timeout | undefined;

    const stop = (reason: unknown) => {
      if (failure !== undefined) return;
      failure = reason;
      signalGroup(child, "SIGTERM");
      killTimer = setTimeout(
        () => signalGroup(child, "SIGKILL"),
        settings.graceMilliseconds ?? defaultGraceMilliseconds,
      );
    };

    const maxBytes = options.maxOutputBytes ?? defaultMaxOutputBytes;
    const overflow = (name: string) =>
      stop(new StepFailure("errored", `Cannot run ${what}: it wrote more than ${maxBytes} bytes to ${name}`));
    const stdout = collect(child.stdout, maxBytes, () => overflow("stdout"));
    const stderr = collect(child.stderr, maxBytes, () => overflow("stderr"));

    const onAbort = () => stop(settings.signal?.reason);
    settings.signal?.addEventListener("abort", onAbort, { once: true });
    const { timeoutSeconds } = options;
    const timeout =
      timeoutSeconds === undefined
        ? undefined
        : setTimeout(
            () =>
              stop(new StepFailure("errored", `Cannot run ${what}: it took longer than ${timeoutSeconds} s`)),
            timeoutSeconds * 1_000,
          );
    const settle = () => {
      clearTimeout(timeout);
      clearTimeout(killTimer);
      settings.signal?.removeEventListener("abort", onAbort);
    };

    child.on("error", (error) => {
      settle();
      reject(failure ?? startFailure(program, what, error));
    });
    child.on("exit", () => signalGroup(child, "SIGKILL"));
    child.on("close", (code, signal) => {
      settle();
      if (failure !== undefined) return reject(failure);
      if (signal !== null) {
        return reject(new StepFailure("errored", `Cannot run ${what}: it was ended by ${signal}`));
      }
      resolve({ exitCode: code ?? -1, stdout: stdout(), stderr: stderr() });
    });

    // A program may exit without reading its input; its exit code tells more than the broken pipe.
    child.stdin.on("error", () => {});
    child.stdin.end(options.input);
  });
}

/** Keeps what the stream brings, up to a bound; returns a function that gives the text. */
function collect(stream: NodeJS.ReadableStream, maxBytes: number, onOverflow: () => void): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) return onOverflow();
    chunks.push(chunk);
  });
  return () => Buffer.concat(chunks).toString("utf8");
}

function minimalEnvironment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    TMPDIR: tmpdir(),
  };
}

/** Signals a child that was started detached. The group outlives its leader while it has members. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (codeOf(error) !== "ESRCH" && codeOf(error) !== "EPERM") throw error;
  }
}

/** The program and its subcommand; further arguments may be long, or secret. */
function nameOf(program: string, args: readonly string[]): string {
  const [first] = args;
  const subcommand = first !== undefined && /^[a-z][a-z-]*$/.test(first) ? ` ${first}` : "";
  return `"${path.basename(program)}${subcommand}"`;
}

function exitReason({ exitCode, stdout, stderr }: ExecResult): string {
  const said = (stderr.trim() || stdout.trim()).slice(-quotedCharacters);
  return said === "" ? `exit code ${exitCode}` : `exit code ${exitCode}: ${said}`;
}

function startFailure(program: string, what: string, error: Error): StepFailure {
  const why =
    codeOf(error) === "ENOENT"
      ? `program "${program}" (or the folder to run it in) does not exist; is it installed and on PATH?`
      : error.message;
  return new StepFailure("errored", `Cannot run ${what}: ${why}`, { cause: error });
}
