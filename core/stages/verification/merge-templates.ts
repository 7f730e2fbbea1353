import type { AnalysisArgument, AnalysisTemplateSpec } from "#core/resources/analysis-template.ts";

/** What several templates ask for together. Throws where they contradict one another. */
export function mergeTemplates(
  specs: readonly AnalysisTemplateSpec[],
): Omit<AnalysisTemplateSpec, "templates"> {
  const metrics = specs.flatMap((spec) => spec.metrics ?? []);
  const dryRun = specs.flatMap((spec) => spec.dryRun ?? []);
  const measurementRetention = specs.flatMap((spec) => spec.measurementRetention ?? []);
  refuseDuplicates(
    "metric name",
    metrics.map(({ name }) => name),
  );
  refuseDuplicates(
    "dry-run metric name",
    dryRun.map(({ metricName }) => metricName),
  );
  refuseDuplicates(
    "measurement retention metric name",
    measurementRetention.map(({ metricName }) => metricName),
  );
  return {
    metrics,
    dryRun,
    measurementRetention,
    args: mergeArguments(specs.flatMap((spec) => spec.args ?? [])),
  };
}

/** The templates' arguments with the values that the stage gives. Throws when one is left without a value. */
export function fillArguments(
  declared: readonly AnalysisArgument[],
  given: Readonly<Record<string, string | undefined>>,
): AnalysisArgument[] {
  return declared.map((argument) => {
    const value = given[argument.name] ?? argument.value;
    if (value === undefined && argument.valueFrom === undefined) {
      throw new Error(
        `argument "${argument.name}" has no value: the template has none for it and the stage gives none`,
      );
    }
    return value === undefined ? argument : { name: argument.name, value };
  });
}

function mergeArguments(args: readonly AnalysisArgument[]): AnalysisArgument[] {
  const merged = new Map<string, AnalysisArgument>();
  for (const argument of args) {
    const known = merged.get(argument.name);
    if (known === undefined) {
      merged.set(argument.name, { ...argument });
    } else if (known.value === undefined) {
      if (argument.value !== undefined) known.value = argument.value;
    } else if (argument.value !== undefined && argument.value !== known.value) {
      throw new Error(
        `conflicting values for argument "${argument.name}": "${known.value}" and "${argument.value}"`,
      );
    }
  }
  return [...merged.values()];
}

function refuseDuplicates(what: string, names: readonly string[]): void {
  const duplicate = names.find((name, index) => names.indexOf(name) !== index);
  if (duplicate !== undefined) throw new Error(`duplicate ${what}: "${duplicate}"`);
}
