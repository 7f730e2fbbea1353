import { configProblems } from "#core/config-problems.ts";
import { StepFailure } from "#core/failure.ts";
import type { Invocation, Runner, RunnerIO } from "#core/runner.ts";
import type { Outcome, StepContext, StepDefinition } from "#core/step.ts";
import { createWorkspaceOpener } from "#runners/opened-workspaces.ts";
import { createStepContext, type StepServices } from "#runners/step-context.ts";

/** Runs steps that are part of the daemon. Their work dies with it, so there is nothing to re-attach to. */
export function createInProcessRunner(
  definitions: readonly StepDefinition[],
  services: StepServices,
): Runner {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const openWorkspace = createWorkspaceOpener();

  function getDefinition({ kind }: Invocation): StepDefinition {
    const definition = byName.get(kind);
    if (definition !== undefined) return definition;
    throw new StepFailure("refused", `Cannot run step kind "${kind}": it is none of the daemon's own`);
  }

  async function openContext(invocation: Invocation, io: RunnerIO): Promise<StepContext> {
    io.signal.throwIfAborted();
    const workspace = await openWorkspace(invocation.workspace);
    return createStepContext(invocation, workspace, io, services);
  }

  return {
    async run(invocation, io) {
      const definition = getDefinition(invocation);
      const config = parseConfig(definition, invocation);
      const outcome = await definition.run(config, await openContext(invocation, io));
      checkOutput(definition, outcome);
      return outcome;
    },
    async takeBack(invocation, io) {
      const definition = getDefinition(invocation);
      const config = parseConfig(definition, invocation);
      await definition.takeBack?.(config, await openContext(invocation, io));
    },
  };
}

function parseConfig(definition: StepDefinition, { config }: Invocation): unknown {
  const parsed = definition.config.safeParse(config);
  if (parsed.success) return parsed.data;
  const problems = configProblems(parsed.error.issues, config).join("; ");
  throw new StepFailure("config", `invalid ${definition.name} config: ${problems}`);
}

/** What later steps are promised about an output must hold. */
function checkOutput(definition: StepDefinition, outcome: Outcome): void {
  if (outcome.status !== "succeeded") return;
  const output = outcome.output ?? {};
  const parsed = definition.output.safeParse(output);
  if (parsed.success) return;
  const problems = configProblems(parsed.error.issues, output).join("; ");
  throw new StepFailure(
    "errored",
    `step ${definition.name} gave an output other than it declares: ${problems}`,
  );
}
