import type { Container } from "dockerode";
import { StepFailure } from "#core/failure.ts";
import type { StepOutput } from "#core/step.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import { engineFailure } from "#runners/container/engine.ts";
import type { Followed } from "#runners/container/follow.ts";
import { schemaProblems } from "#runners/container/json-schema.ts";

/** The command ran and did not succeed. */
export class CommandFailure extends StepFailure {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super("errored", message);
    this.exitCode = exitCode;
  }
}

/** Throws what a command's end means when it did not succeed. */
export async function refuseFailure(
  container: Container,
  exitCode: number,
  spec: ContainerSpec,
  log: Followed,
) {
  if (exitCode === 0) return;
  const { State } = await container.inspect();
  if (State.OOMKilled) {
    const limit = `${Math.round(spec.limits.memoryBytes / 2 ** 20)} MiB`;
    throw new CommandFailure(
      exitCode,
      `The command was killed: it wanted more memory than its limit of ${limit}`,
    );
  }
  const said = log.tail("stderr") || log.tail("stdout");
  // The words of the engine's own init process, which starts the command, or of the shell that does so.
  const starter = spec.reuse ? `${spec.command[0]}: not found` : "[FATAL tini";
  if (exitCode === 127 && said.includes(starter)) {
    throw new StepFailure("config", `Image "${spec.image}" has no program "${programOf(spec)}" to run`);
  }
  const how = exitCode === 137 ? "was killed (SIGKILL)" : `ended with exit code ${exitCode}`;
  throw new CommandFailure(exitCode, `The command ${how}${said ? `: ${said}` : ""}`);
}

/** Throws when an output is not what the step declares. */
export function refuseOutput({ outputSchema }: ContainerSpec, output: StepOutput): void {
  const problems = outputSchema === undefined ? [] : schemaProblems(outputSchema, output);
  if (problems.length === 0) return;
  throw new StepFailure("errored", `The step gave an output other than it declares: ${problems.join("; ")}`);
}

/** A container that did not start, told as a fault of the definition where it is one. */
export function startFailure(spec: ContainerSpec, error: unknown): StepFailure {
  const text = String((error as { json?: { message?: string }; message?: string }).json?.message ?? error);
  if (/executable file not found|no such file or directory|permission denied/i.test(text)) {
    return new StepFailure("config", `Cannot start "${programOf(spec)}" in image "${spec.image}": ${text}`, {
      cause: error,
    });
  }
  return engineFailure(`start a container of image "${spec.image}"`, error);
}

/** What was to be run, as far as the image does not say it. */
function programOf({ entrypoint, command }: ContainerSpec): string {
  return [...(Array.isArray(entrypoint) ? entrypoint : []), ...command][0] ?? "";
}
