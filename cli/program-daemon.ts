import type { Command } from "commander";
import { gather, withPlugins } from "#cli/flags.ts";
import type { CliIO } from "#cli/io.ts";
import { defaultPort } from "#core/settings.ts";

/** Commands that start a daemon. */
export function addDaemonCommands(program: Command, io: CliIO): void {
  withPlugins(program.command("serve"))
    .description("run the daemon")
    .option("--data <folder>", "where everything is kept (or TOWPATH_DATA)")
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--port <number>", "port to listen on", String(defaultPort))
    .option("--public-url <url>", "where people and webhooks reach this daemon")
    .option("--allow-net <host[:port]>", "open a loopback or private address to steps and checks", gather)
    .action(async (options) => (await import("#cli/commands/serve.ts")).serve(options, io));

  program
    .command("demo")
    .description("promote a release through three stages on this machine, from nothing")
    .option("--yes", "release the gates and exit when both releases are in prod")
    .option("--port <number>", "port of the demo's daemon; a free one by default")
    .option("--keep", "leave the demo's folder behind")
    .action(async (options) => (await import("#cli/commands/demo.ts")).demo(options, io));
}
