import { CommanderError } from "commander";
import type { CliIO } from "#cli/io.ts";
import { UserError } from "#core/failure.ts";

/** Thrown by a command that has said all there is to say and only wants its exit code. */
export class ExitCode extends Error {
  readonly code: number;

  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/** Says what went wrong and what to try next; the stack only when it was asked for. */
export function reportError(error: unknown, io: CliIO, debug: boolean): void {
  // Commander has printed its own errors, help and version by now.
  if (error instanceof ExitCode || error instanceof CommanderError) return;
  const message = error instanceof Error ? error.message : String(error);
  io.stderr.write(`error: ${message}\n`);
  if (error instanceof UserError && error.hint) io.stderr.write(`  try: ${error.hint}\n`);
  if (debug && error instanceof Error) io.stderr.write(`${error.stack}\n`);
  else if (!(error instanceof UserError))
    io.stderr.write("  try: the same with --debug, to see where it comes from\n");
}

/** 0 for help that was asked for, 2 for a wrong command line, 1 for everything else. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof ExitCode) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  return 1;
}
