import { configProblems } from "#core/config-problems.ts";
import { StepFailure } from "#core/failure.ts";
import { InlineContainer } from "#core/inline-container.ts";
import type { Invocation, Runner } from "#core/runner.ts";
import { createContainerRunner } from "#runners/container/container-runner.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import { toContainerSpec } from "#runners/container/custom-step.ts";

/** Runs the step `container`. Its configuration is evaluated already: nothing in it is a template any more. */
export function createInlineContainerRunner(services: ContainerServices): Runner {
  return createContainerRunner(services, async (invocation) => prepareInlineContainer(invocation));
}

export function prepareInlineContainer({ config }: Pick<Invocation, "config">): ContainerSpec {
  const parsed = InlineContainer.safeParse(config);
  if (!parsed.success) {
    const problems = configProblems(parsed.error.issues, config).join("; ");
    throw new StepFailure("config", `invalid container config: ${problems}`);
  }
  const { script, command = [], env = {}, ...options } = parsed.data;
  const texts = Object.entries(env).map(([name, value]) => [name, String(value)]);
  const shell = script === undefined ? command : ["sh", "-e", "-c", script];
  return toContainerSpec(options, shell, Object.fromEntries(texts));
}
