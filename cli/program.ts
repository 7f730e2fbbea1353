import { Command } from "commander";
import type { CliIO } from "#cli/io.ts";
import { addDaemonCommands } from "#cli/program-daemon.ts";
import { addLocalCommands } from "#cli/program-local.ts";
import { addRemoteCommands } from "#cli/program-remote.ts";
import { addStepsCommands } from "#cli/program-steps.ts";
import { version } from "#core/package.ts";

/**
 * The whole command line. Modules behind a command are loaded when it runs, so that a small one starts
 * quickly.
 */
export function createProgram(io: CliIO): Command {
  const program = new Command("towpath")
    .description("Promotes releases from stage to stage, as Kargo does, from one daemon on a plain machine.")
    .version(version, "-V, --version")
    .option("--debug", "show where an error came from")
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .exitOverride();
  addDaemonCommands(program, io);
  addRemoteCommands(program, io);
  addLocalCommands(program, io);
  addStepsCommands(program, io);
  // Commands made before they were added do not inherit these two.
  for (const command of program.commands) {
    for (const one of [command, ...command.commands]) one.copyInheritedSettings(program);
  }
  return program;
}
