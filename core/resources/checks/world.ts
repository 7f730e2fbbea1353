import type { z } from "zod";
import type { LoadedResource } from "#core/resources/load.ts";
import { formatRef, type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";

/** What a check must know of a kind of step; a StepDefinition says all of it. */
export interface KnownStep {
  name: string;
  config?: z.ZodType;
  /** What it puts out becomes the output of the task that it stands in. */
  taskOutput?: boolean;
}

/** The resources that are checked together, and what is known beside them. */
export interface World {
  resources: readonly LoadedResource[];
  steps: ReadonlyMap<string, KnownStep>;
  /** One of the resources that are checked. */
  find(ref: ResourceRef): Resource | undefined;
  /** Whether a resource is among those that are checked, or known to be there. */
  has(ref: ResourceRef): boolean;
  /** Names of the resources of a kind in a project, for "did you mean". */
  names(kind: string, project: string | undefined): string[];
}

export function createWorld(
  resources: readonly LoadedResource[],
  steps: readonly KnownStep[],
  exists: (ref: ResourceRef) => boolean,
): World {
  const byName = new Map(resources.map(({ resource }) => [formatRef(refOf(resource)), resource]));
  const find = (ref: ResourceRef) => byName.get(formatRef(ref));
  return {
    resources,
    steps: new Map(steps.map((step) => [step.name, step])),
    find,
    has: (ref) => find(ref) !== undefined || exists(ref),
    names: (kind, project) =>
      resources.flatMap(({ resource: { kind: found, metadata } }) =>
        found === kind && metadata.namespace === project ? [metadata.name] : [],
      ),
  };
}

/** A reference to a resource of the project, or with no project to one of all projects. */
export function refIn(project: string | undefined, kind: string, name: string): ResourceRef {
  return project === undefined ? { kind, name } : { kind, project, name };
}
