import { type Command, Option } from "commander";
import { gather, outputOption, withConnection, withPlugins } from "#cli/flags.ts";
import type { CliIO } from "#cli/io.ts";

/** Commands about steps of one's own. */
export function addStepsCommands(program: Command, io: CliIO): void {
  const steps = program.command("steps").description("make, register and remove steps of your own");

  steps
    .command("init")
    .description("make the folder of a new step: description, program, Dockerfile and a test")
    .argument("<name>", "what `uses:` is to say")
    .addOption(
      new Option("--template <language>", "what the step is written in")
        .choices(["shell", "typescript", "python"])
        .default("shell"),
    )
    .option("--folder <path>", "where; a folder of the step's name by default")
    .action(async (name, options) =>
      (await import("#cli/commands/steps-init.ts")).initStep(name, options, io),
    );

  steps
    .command("describe")
    .description("print the definition that an image on this machine's engine describes; needs no daemon")
    .argument("<image>")
    .action(async (image) => (await import("#cli/local.ts")).describeStep(image, io));

  withConnection(steps.command("add"))
    .description("register the step that an image describes, pinned by the image's digest")
    .argument("<image>")
    .option("--pull-secret <name>", "a shared Secret to pull the image with", gather)
    .option("--dry-run", "print the definition and register nothing")
    .action(async (image, options) => (await import("#cli/commands/steps.ts")).addStep(image, options, io));

  withConnection(steps.command("list"))
    .description("list the registered steps")
    .addOption(outputOption())
    .action(async (options) =>
      (await import("#cli/commands/get.ts")).get("custompromotionstep", [], options, io),
    );

  withConnection(steps.command("remove"))
    .description("remove a registered step")
    .argument("<name>")
    .action(async (name, options) =>
      (await import("#cli/commands/requests.ts")).deleteOne("custompromotionstep", name, options, io),
    );

  withPlugins(withConnection(steps.command("schemas")))
    .description("write JSON Schemas for editors that know the registered steps too")
    .argument("<folder>")
    .action(async (folder, options) =>
      (await import("#cli/commands/steps.ts")).writeSchemas(folder, options, io),
    );
}
