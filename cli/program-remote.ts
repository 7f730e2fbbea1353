import type { Command } from "commander";
import { gather, outputOption, withConnection, withProject } from "#cli/flags.ts";
import type { CliIO } from "#cli/io.ts";

/** Commands that ask a running daemon over HTTP. */
export function addRemoteCommands(program: Command, io: CliIO): void {
  addResourceCommands(program, io);
  addPromotionCommands(program, io);
  addGateCommands(program, io);
  addFreezeCommands(program, io);
}

function addResourceCommands(program: Command, io: CliIO): void {
  withConnection(program.command("apply"))
    .description("create or update the resources in files, folders or standard input (-)")
    .requiredOption("-f, --filename <path>", "file, folder or -", gather)
    .action(async (options) => (await import("#cli/commands/apply.ts")).apply(options, io));

  withProject(program.command("delete"))
    .description("delete a resource, or those in files")
    .argument("[kind]", "stage, warehouse, freight …")
    .argument("[name]")
    .option("-f, --filename <path>", "file, folder or -", gather)
    .action(async (kind, name, options, command) => {
      if (options.filename) return (await import("#cli/commands/apply.ts")).deleteManifests(options, io);
      if (!kind || !name) return command.error("error: give a kind and a name, or -f PATH");
      return (await import("#cli/commands/requests.ts")).deleteOne(kind, name, options, io);
    });

  withProject(program.command("get"))
    .description("list resources of a kind")
    .argument("<kind>", "stages, freight, promotions, warehouses …")
    .argument("[names...]")
    .addOption(outputOption())
    .action(async (kind, names, options) =>
      (await import("#cli/commands/get.ts")).get(kind, names, options, io),
    );

  withProject(program.command("describe"))
    .description("show one resource, its steps and what happened to it")
    .argument("<kind>")
    .argument("<name>")
    .action(async (kind, name, options) =>
      (await import("#cli/commands/describe.ts")).describe(kind, name, options, io),
    );

  withProject(program.command("refresh"))
    .description("have a warehouse, stage or promotion looked at now")
    .argument("<kind>")
    .argument("<name>")
    .action(async (kind, name, options) =>
      (await import("#cli/commands/requests.ts")).refresh(kind, name, options, io),
    );
}

function addPromotionCommands(program: Command, io: CliIO): void {
  withProject(program.command("promote"))
    .description("promote freight to a stage, or to all stages downstream of one")
    .option("--stage <name>", "the stage to promote to")
    .option("--downstream-from <stage>", "promote to every stage fed by this one")
    .option("--freight <name>", "the freight's name or alias")
    .option("--freight-alias <alias>", "the freight's alias")
    .option("--warehouse <name>", "the freight that auto-promotion would choose from this warehouse")
    .option("--from <stage>", "all the freight that this stage holds, as one, as it was verified there")
    .option(
      "--override-window <reason>",
      "promote although the stage's windows are closed; the reason is recorded",
    )
    .option("--wait", "show the steps live and wait for the end")
    .action(async (options) => (await import("#cli/commands/promote.ts")).promote(options, io));

  withProject(program.command("assemble"))
    .description("make freight of what a warehouse has discovered: the best, or what you choose")
    .argument("<warehouse>")
    .option("--use <source=version>", "choose a version: web=1.2.0, config=3f2a9c1 …", gather)
    .option("--alias <alias>", "name for the freight")
    .action(async (name, options) => (await import("#cli/commands/assemble.ts")).assemble(name, options, io));

  withProject(program.command("abort"))
    .description("abort a promotion")
    .argument("<promotion>")
    .action(async (name, options) => (await import("#cli/commands/requests.ts")).abort(name, options, io));

  withProject(program.command("approve"))
    .description("approve freight for a stage, whatever the stages before it say")
    .argument("<freight>", "name or alias")
    .requiredOption("--stage <name>")
    .action(async (name, options) => (await import("#cli/commands/requests.ts")).approve(name, options, io));

  withProject(program.command("verify"))
    .description("verify a stage's freight again")
    .argument("<stage>")
    .option("--abort", "abort the verification that runs")
    .action(async (name, options) => (await import("#cli/commands/requests.ts")).verify(name, options, io));

  withProject(program.command("logs"))
    .description("show the log of a promotion's steps")
    .argument("<promotion>")
    .argument("[step]", "a step's alias; all steps without it")
    .option("-f, --follow", "go on until the promotion is over")
    .action(async (promotion, step, options) =>
      (await import("#cli/commands/logs.ts")).logs(promotion, step, options, io),
    );
}

function addGateCommands(program: Command, io: CliIO): void {
  const gates = withProject(program.command("gates"))
    .description("list open gates")
    .addOption(outputOption(["table", "json", "yaml"]))
    .action(async (options) => (await import("#cli/commands/gates.ts")).listGates(options, io));

  withProject(gates.command("link"))
    .description("make a signed link that decides a gate, once, in your name")
    .argument("<promotion>")
    .argument("[step]", "the gate's alias; needed when several gates of the promotion are open")
    .option("--release", "the link releases, or approves (default)")
    .option("--deny", "the link denies, or rejects")
    .option("--expires <duration>", "how long it is good for: 24h by default, 720h at most")
    .option("--for <name>", "whom it is for; kept in the record")
    .action(async (promotion, step, _, command) =>
      (await import("#cli/commands/gate-link.ts")).makeGateLink(
        promotion,
        step,
        command.optsWithGlobals(),
        io,
      ),
    );

  withProject(program.command("audit"))
    .description("list who decided what, when, from where and why; the newest thousand")
    .option("--after <id>", "list what came after this entry")
    .addOption(outputOption(["table", "json", "yaml"]))
    .action(async (options) => (await import("#cli/commands/audit.ts")).listAudit(options, io));

  for (const [name, decision] of [
    ["release", "released"],
    ["deny", "denied"],
  ] as const) {
    const command = withProject(program.command(name))
      .description(
        decision === "released" ? "let a promotion through its gate" : "refuse to let a promotion through",
      )
      .argument("<promotion>")
      .argument("[step]", "the gate's alias; needed when several gates of the promotion are open")
      .option("-m, --message <text>", "why");
    if (decision === "released")
      command.option("--input <name=value>", "fill in a field, where the gate asks for input", gather);
    command.action(async (promotion, step, options) =>
      (await import("#cli/commands/gates.ts")).decideGate(decision, promotion, step, options, io),
    );
  }
}

function addFreezeCommands(program: Command, io: CliIO): void {
  withProject(program.command("freeze"))
    .description("keep promotions from starting: to a stage, in a project (-p) or everywhere (--all)")
    .argument("[stage]")
    .requiredOption("-m, --reason <text>", "why; shown wherever it is felt")
    .option("--all", "in all projects")
    .option("--abort", "end the promotions that run, too")
    .action(async (stage, options) => (await import("#cli/commands/freeze.ts")).freeze(stage, options, io));

  withProject(program.command("unfreeze"))
    .description("let promotions start again")
    .argument("[stage]")
    .option("--all", "end the freeze of all projects")
    .action(async (stage, options) => (await import("#cli/commands/freeze.ts")).unfreeze(stage, options, io));

  withProject(program.command("freezes"))
    .description("list what is frozen, by whom and why")
    .addOption(outputOption(["table", "json", "yaml"]))
    .action(async (options) => (await import("#cli/commands/freeze.ts")).listFreezes(options, io));
}
