import type { Container } from "dockerode";
import { type Outcome, succeeded } from "#core/step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import type { ContainerAttempt, ContainerServices } from "#runners/container/container-services.ts";
import type { Followed } from "#runners/container/follow.ts";
import { type OutputFolder, readBounded } from "#runners/container/output-folder.ts";
import { readOutput } from "#runners/container/step-output.ts";
import { refuseFailure, refuseOutput } from "#runners/container/verdicts.ts";

/** A command that has ended, and what it left. */
export interface EndedCommand {
  exitCode: number;
  container: Container;
  log: Followed;
  folder: OutputFolder;
}

/** Reads what came of a command, and keeps it until the promotion's status tells it. Throws a StepFailure. */
export async function concludeAttempt(
  { expressions }: Pick<ContainerServices, "expressions">,
  attempt: ContainerAttempt,
  ended: EndedCommand,
): Promise<Outcome> {
  const { spec } = attempt;
  await refuseFailure(ended.container, ended.exitCode, spec, ended.log);
  const output = await readOutput(await outputText(attempt, ended), spec.output, expressions);
  refuseOutput(spec, output);
  const outcome = succeeded(output);
  await ended.folder.keepOutcome(outcome);
  return outcome;
}

async function outputText({ spec, invocation }: ContainerAttempt, { folder, log }: EndedCommand) {
  const { type, path = "" } = spec.output;
  switch (type) {
    case "Pipe":
      return folder.read();
    case "Stdout":
    case "Stderr":
      return log.output();
    case "File": {
      const workspace = await openWorkspace(invocation.workspace);
      return readBounded(await workspace.resolve(path), `"${path}"`);
    }
    default:
      return type satisfies never;
  }
}
