import type { Runner, StepKinds } from "#core/runner.ts";
import type { StepDefinition } from "#core/step.ts";

/** The step kinds that are defined in the daemon itself, all run by one runner. */
export function builtinStepKinds(definitions: readonly StepDefinition[], runner: Runner): StepKinds {
  const kinds = new Map(
    definitions.map(({ name, defaultTimeoutSeconds, defaultErrorThreshold, taskOutput, takeBack }) => [
      name,
      {
        name,
        runner,
        defaultTimeoutSeconds,
        defaultErrorThreshold,
        taskOutput,
        takesBack: takeBack !== undefined,
      },
    ]),
  );
  return {
    find: async (name) => kinds.get(name),
    names: async () => [...kinds.keys()],
  };
}

/** Several sources of step kinds as one. Where two know a name, the first has it. */
export function combineStepKinds(...sources: readonly StepKinds[]): StepKinds {
  return {
    async find(name) {
      for (const source of sources) {
        const kind = await source.find(name);
        if (kind !== undefined) return kind;
      }
      return undefined;
    },
    async names() {
      const all = await Promise.all(sources.map((source) => source.names()));
      return [...new Set(all.flat())];
    },
  };
}
