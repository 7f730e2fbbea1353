import type { Command } from "commander";
import { gather, outputOption, withConnection, withPlugins } from "#cli/flags.ts";
import type { CliIO } from "#cli/io.ts";

/** Commands that need no daemon. */
export function addLocalCommands(program: Command, io: CliIO): void {
  withPlugins(program.command("validate"))
    .description("check resources without running anything")
    .requiredOption("-f, --filename <path>", "file, folder or -", gather)
    .option("--strict", "take warnings for errors")
    .addOption(outputOption(["text", "json"]))
    .action(async (options) => (await import("#cli/local.ts")).validate(options, io));

  program
    .command("discover")
    .description("show what Warehouses would find, what they would leave out, and why")
    .requiredOption(
      "-f, --filename <path>",
      "Warehouses, and the Secrets they need: file, folder or -",
      gather,
    )
    .option("--allow-net <host[:port]>", "of private addresses reach only these, as a daemon would", gather)
    .addOption(outputOption(["text", "json"]))
    .action(async (options) => (await import("#cli/discover.ts")).discoverFiles(options, io));

  program
    .command("eval")
    .description("print the value of a template such as 'v${{ vars.major }}'")
    .argument("[template]")
    .option("--env <file>", "JSON file with the variables")
    .option(
      "--context <file>",
      "JSON file with project, stage, freight, secrets …: Kargo's functions work on it",
    )
    .option("--ndjson", "read cases from standard input, one JSON object a line")
    .action(async (template, options) => (await import("#cli/local.ts")).evaluate(template, options, io));

  withPlugins(program.command("step"))
    .description("run one step in a folder")
    .argument("[name]", "what `uses:` says")
    .option("--config <file>", "JSON file with the step's configuration")
    .option("--workdir <folder>", "the step's workspace")
    .option("--context <file>", "JSON file with project, stage, vars, outputs, freight, secrets …")
    .option("--check", "only check the configuration")
    .option("--allow-net <host[:port]>", "open a loopback or private address to the step", gather)
    .option("--ndjson", "read cases from standard input, one JSON object a line")
    .action(async (name, options) => (await import("#cli/local.ts")).step(name, options, io));

  withPlugins(program.command("run"))
    .description("run a PromotionTask or a list of steps here and now")
    .argument("<file>", "YAML of the task or the steps")
    .option("--var <name=value>", "set a variable", gather)
    .option("-f, --filename <path>", "more resources: custom steps, secrets …", gather)
    .option("--allow-net <host[:port]>", "open a loopback or private address to the steps", gather)
    .addOption(outputOption(["text", "json"]))
    .action(async (file, options) => (await import("#cli/local.ts")).run(file, options, io));

  program
    .command("gate")
    .description("hold HTTP requests until you press Enter, or until a command has decided about each")
    .argument("[command...]", "after --: run for each request; its output is the answer, 200 or 500")
    .option("--port <number>", "port to listen on", "24365")
    .option("--addr <address>", "address to listen on", "0.0.0.0")
    .option("--once [yes]", "end after the first answer", true)
    .option("--no-once", "go on after the first answer")
    .option("--token <token>", "what requests must bring as bearer token (or TOWPATH_GATE_TOKEN)")
    .action(async (command, options) => (await import("#cli/commands/gate.ts")).gate(command, options, io));

  withPlugins(withConnection(program.command("explain")))
    .description("tell what a step does and how it is configured; registered steps are asked of the daemon")
    .argument("[step]", "without it, all steps are listed")
    .option("-f, --filename <path>", "CustomPromotionSteps in files, instead of the daemon's", gather)
    .action(async (step, options) => (await import("#cli/commands/explain.ts")).explain(step, options, io));

  program
    .command("completion")
    .description('print a completion script: eval "$(towpath completion bash)"')
    .argument("<shell>", "bash, zsh or fish")
    .action(async (shell) => (await import("#cli/commands/completion.ts")).completion(shell, program, io));

  program
    .command("version")
    .description("print the version")
    .action(async () => (await import("#cli/commands/version.ts")).printVersion(io));
}
