import { configProblems } from "#core/config-problems.ts";
import { StepFailure } from "#core/failure.ts";
import type { Invocation, Runner } from "#core/runner.ts";
import type { Outcome, StepDefinition } from "#core/step.ts";
import { createWorkspaceOpener } from "#runners/opened-workspaces.ts";
import { createStepContext, type StepServices } from "#runners/step-context.ts";

/** Runs steps that are part of the daemon. Their work dies with it, so there is nothing to re-attach to. */
export function createInProcessRunner(
  definitions: readonly StepDefinition[],
  services: StepServices,
): Runner {
  const byName = new Map(definitions.map((definition) => [definition.name, definition]));
  const openWorkspace = createWorkspaceOpener();
  return {
    async run(invocation, io) {
      const definition = byName.get(invocation.kind);
      if (definition === undefined) {
        throw new StepFailure(
          "refused",
          `Cannot run step kind "${invocation.kind}": it is none of the daemon's own`,
        );
      }
      const config = parseConfig(definition, invocation);
      io.signal.throwIfAborted();
      const workspace = await openWorkspace(invocation.workspace);
      const outcome = await definition.run(config, createStepContext(invocation, workspace, io, services));
      checkOutput(definition, outcome);
      return outcome;
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
  const parsed = definition.output.safeParse(outcome.output);
  if (parsed.success) return;
  const problems = configProblems(parsed.error.issues, outcome.output).join("; ");
  throw new StepFailure(
    "errored",
    `step ${definition.name} gave an output other than it declares: ${problems}`,
  );
}
