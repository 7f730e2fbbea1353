import { type Command, Option } from "commander";
import { outputFormats } from "#cli/output.ts";

/** Flags of commands that talk to a daemon. */
export function withConnection(command: Command): Command {
  return command
    .option("--server <url>", "address of the daemon (or TOWPATH_SERVER)")
    .option("--token <token>", "the daemon's token (or TOWPATH_TOKEN)");
}

export function withProject(command: Command): Command {
  return withConnection(command).option("-p, --project <name>", "the project (or TOWPATH_PROJECT)");
}

export function outputOption(formats: readonly string[] = outputFormats): Option {
  return new Option("-o, --output <format>", "how to print").choices(formats).default(formats[0]);
}

/** For commands that know steps: those of plugins, too. */
export function withPlugins(command: Command): Command {
  const summary = "folder or package with more steps (or TOWPATH_PLUGINS)";
  return command.option("--plugin <path>", summary, gather);
}

/** Gathers a flag that may be given several times. */
export function gather(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
