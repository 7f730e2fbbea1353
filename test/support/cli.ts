import { PassThrough, Readable } from "node:stream";
import type { CliIO } from "#cli/io.ts";
import { createProgram } from "#cli/program.ts";
import { exitCodeOf, reportError } from "#cli/report-error.ts";

export interface CliResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the command line in this process, as its entry point does. */
export async function runCli(
  args: readonly string[],
  { env = {}, stdin = "" }: { env?: NodeJS.ProcessEnv; stdin?: string } = {},
): Promise<CliResult> {
  const streams = { stdout: new PassThrough(), stderr: new PassThrough() };
  const io: CliIO = { stdin: Readable.from([stdin]), ...streams, env, signal: new AbortController().signal };
  let code = 0;
  try {
    await createProgram(io).parseAsync(["node", "towpath", ...args]);
  } catch (error) {
    reportError(error, io, false);
    code = exitCodeOf(error);
  }
  return { code, stdout: textOf(streams.stdout), stderr: textOf(streams.stderr) };
}

function textOf(stream: PassThrough): string {
  const chunks: Buffer[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
