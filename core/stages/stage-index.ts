import { originKey } from "#core/resources/freight.ts";
import type { Stage } from "#core/resources/stage.ts";
import { followsCombination } from "#core/stages/combination.ts";

/** Which stages of a project take freight from where, so that a change need not be shown to all of them. */
export interface StageIndex {
  /** Takes the stage up as it now is. */
  know(stage: Stage): void;
  forget(stage: Stage): void;
  all(project: string): Iterable<string>;
  /** Projects that have stages. */
  projects(): Iterable<string>;
  /** Stages that request freight of the Warehouse, from wherever they take it. */
  from(project: string, warehouse: string): Iterable<string>;
  /** Stages that take the Warehouse's freight directly. */
  directlyFrom(project: string, warehouse: string): Iterable<string>;
  /** Stages that take all that `upstream` holds, as one. */
  combiningFrom(project: string, upstream: string): Iterable<string>;
  /** Stages that take freight of the origin (`Warehouse/<name>`) once it is verified in `upstream`. */
  downstreamOf(project: string, upstream: string, origin: string): Iterable<string>;
}

export function createStageIndex(): StageIndex {
  /** Names of stages by what they are looked up by; and for each stage, what it is found by. */
  const names = new Map<string, Set<string>>();
  const places = new Map<string, string[]>();

  function forget({ metadata }: Stage): void {
    const { namespace: project = "", name } = metadata;
    for (const place of places.get(`${project}/${name}`) ?? []) {
      const stages = names.get(place);
      stages?.delete(name);
      if (stages?.size === 0) names.delete(place);
    }
    places.delete(`${project}/${name}`);
  }

  const find = (...place: string[]) => names.get(place.join(" ")) ?? [];

  return {
    know(stage) {
      forget(stage);
      const { namespace: project = "", name } = stage.metadata;
      const own = placesOf(stage);
      places.set(`${project}/${name}`, own);
      for (const place of own) {
        const stages = names.get(place) ?? new Set();
        names.set(place, stages.add(name));
      }
    },
    forget,
    all: (project) => find("all", project),
    projects: () => new Set([...places.keys()].map((place) => place.slice(0, place.indexOf("/")))),
    from: (project, warehouse) => find("from", project, warehouse),
    directlyFrom: (project, warehouse) => find("directly", project, warehouse),
    combiningFrom: (project, upstream) => find("combining", project, upstream),
    downstreamOf: (project, upstream, origin) => find("downstream", project, upstream, origin),
  };
}

/** Names have no blanks in them. */
function placesOf(stage: Stage): string[] {
  const { metadata, spec } = stage;
  const { namespace: project = "" } = metadata;
  const places = [`all ${project}`];
  // One odd stage in the store must not keep the others from being known.
  for (const { origin, sources } of spec?.requestedFreight ?? []) {
    places.push(`from ${project} ${origin.name}`);
    if (sources.direct) places.push(`directly ${project} ${origin.name}`);
    for (const upstream of sources.stages ?? []) {
      places.push(`downstream ${project} ${upstream} ${originKey(origin)}`);
      if (followsCombination(stage)) places.push(`combining ${project} ${upstream}`);
    }
  }
  return places;
}
