import { validateResource } from "#core/resources/admission.ts";
import { checkAnnotations } from "#core/resources/checks/annotations.ts";
import { checkCustomStep } from "#core/resources/checks/custom-steps.ts";
import type { Finding } from "#core/resources/checks/finding.ts";
import { checkMetricProviders } from "#core/resources/checks/metrics.ts";
import { checkOtherExpressions } from "#core/resources/checks/other-expressions.ts";
import { checkReferences } from "#core/resources/checks/references.ts";
import { checkStageGraph } from "#core/resources/checks/stage-graph.ts";
import { checkStepExpressions } from "#core/resources/checks/step-expressions.ts";
import { checkStepKinds } from "#core/resources/checks/step-kinds.ts";
import { stepListOf } from "#core/resources/checks/step-lists.ts";
import { createWorld, type KnownStep, type World } from "#core/resources/checks/world.ts";
import type { FieldError } from "#core/resources/field-error.ts";
import { type LoadedResource, problemAt } from "#core/resources/load.ts";
import { type Problem, sortProblems } from "#core/resources/problem.ts";
import { formatRef, type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";

export type { KnownStep } from "#core/resources/checks/world.ts";

export interface CheckOptions {
  /** The kinds of steps that there are, those of CustomPromotionSteps among the resources aside. */
  steps: readonly KnownStep[];
  /** Resources that are there beside those that are checked; none by default. */
  exists?: (ref: ResourceRef) => boolean;
  /** Report warnings as errors. */
  strict?: boolean;
}

/** Checks resources together for all that can be told without running anything. */
export function checkResources(resources: readonly LoadedResource[], options: CheckOptions): Problem[] {
  const world = createWorld(resources, options.steps, options.exists ?? (() => false));
  const findings = [...resources.flatMap((resource) => checkOne(resource, world)), ...checkStageGraph(world)];
  const problems = findings.map(({ resource, severity, ...finding }) =>
    problemAt(resource, { ...finding, severity: options.strict ? "error" : severity }),
  );
  return sortProblems(withoutRepeats(problems), [...new Set(resources.map(({ file }) => file))]);
}

/**
 * The errors that a resource would bring in among those that are there already, Kargo's own rules aside:
 * what `checkResources` says of it, without places and warnings. For use when one resource is applied.
 */
export function errorsOf(
  resource: Resource,
  options: Pick<CheckOptions, "steps"> & { beside: readonly Resource[] },
): FieldError[] {
  const name = formatRef(refOf(resource));
  const others = options.beside.filter((other) => formatRef(refOf(other)) !== name).map(withoutPlace);
  const own = withoutPlace(resource);
  const world = createWorld([own, ...others], options.steps, () => false);
  const findings = [...checkBeyondRules(own, world), ...checkStageGraph(world)];
  const errors = findings.filter(({ severity }) => severity === "error");
  // A circle is told at one of its stages, which need not be the one that closed it.
  return errors.map(({ path, message }) => ({ path, message }));
}

const withoutPlace = (resource: Resource): LoadedResource => ({
  resource,
  file: "",
  locate: () => ({ line: 0, column: 0 }),
});

/** One text may name the same missing thing many times; it is said once. */
function withoutRepeats(problems: readonly Problem[]): Problem[] {
  return [...new Map(problems.map((problem) => [JSON.stringify(problem), problem])).values()];
}

function checkOne(resource: LoadedResource, world: World): Finding[] {
  const broken = validateResource(resource.resource);
  return [
    ...broken.map((error): Finding => ({ resource, severity: "error", ...error })),
    ...checkBeyondRules(resource, world),
  ];
}

function checkBeyondRules(resource: LoadedResource, world: World): Finding[] {
  const steps = stepListOf(resource);
  return [
    ...(steps ? [...checkStepKinds(steps, world), ...checkStepExpressions(steps, world)] : []),
    ...checkOtherExpressions(resource),
    ...checkCustomStep(resource, world),
    ...checkMetricProviders(resource),
    ...checkAnnotations(resource),
    ...checkReferences(resource, world),
  ];
}
