import type { CliIO } from "#cli/io.ts";
import { createProgram } from "#cli/program.ts";
import { exitCodeOf, reportError } from "#cli/report-error.ts";

const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());
// Whoever reads our output may have had enough of it: `towpath get stages | head -1`.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));

const io: CliIO = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interrupt.signal,
};

try {
  await createProgram(io).parseAsync(process.argv);
} catch (error) {
  reportError(error, io, process.argv.includes("--debug"));
  process.exitCode = exitCodeOf(error);
}
