import { eventPrefix } from "#core/promotion/events.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { EventRecord, Store } from "#core/store/store.ts";

/** What a freeze is for: a stage, a project, or everything where neither is given. */
export interface FreezeScope {
  project?: string;
  stage?: string;
}

/** No promotion starts where this is for. Those that run go on. */
export interface FreezeResource extends Resource {
  apiVersion: "towpath.dev/v1alpha1";
  kind: "Freeze";
  spec: FreezeSpec;
}

export interface FreezeSpec extends FreezeScope {
  reason: string;
  /** Who froze it, as Kargo writes actors. */
  actor: string;
  /** RFC 3339. */
  since: string;
}

export function newFreeze(spec: FreezeSpec): FreezeResource {
  const { name, project } = freezeRef(spec);
  const metadata = { name, ...(project === undefined ? {} : { namespace: project }) };
  return { apiVersion: "towpath.dev/v1alpha1", kind: "Freeze", metadata, spec };
}

/** A scope has one freeze. */
export function freezeRef({ project, stage }: FreezeScope): ResourceRef {
  if (project === undefined) return { kind: "Freeze", name: "everything" };
  return { kind: "Freeze", project, name: stage === undefined ? "project" : `stage.${stage}` };
}

/** The widest freeze that the stage is under. */
export async function findFreeze(
  store: Pick<Store, "get">,
  { metadata }: Pick<Stage, "metadata">,
): Promise<FreezeSpec | undefined> {
  const { namespace: project = "", name: stage } = metadata;
  for (const scope of [{}, { project }, { project, stage }]) {
    const freeze = (await store.get(freezeRef(scope))) as FreezeResource | undefined;
    if (freeze !== undefined) return freeze.spec;
  }
  return undefined;
}

/** `Project "shop" is frozen by "admin": incident 42`. */
export function describeFreeze(freeze: FreezeSpec): string {
  return `${describeScope(freeze)} is frozen by "${freeze.actor}": ${freeze.reason}`;
}

export function describeScope({ project, stage }: FreezeScope): string {
  if (stage !== undefined) return `Stage "${stage}"`;
  return project === undefined ? "Everything" : `Project "${project}"`;
}

/** Tells that promotions were stopped, or may go on. */
export function freezeEvent(
  scope: FreezeScope,
  { frozen, message, actor, at }: { frozen: boolean; message: string; actor: string; at: Date },
): EventRecord {
  const { project, stage } = scope;
  return {
    at: at.toISOString(),
    ...(project === undefined ? {} : { project }),
    type: "Normal",
    reason: frozen ? "PromotionsFrozen" : "PromotionsUnfrozen",
    message,
    regarding: subject(scope),
    annotations: {
      [`${eventPrefix}actor`]: actor,
      ...(project === undefined ? {} : { [`${eventPrefix}project`]: project }),
      ...(stage === undefined ? {} : { [`${eventPrefix}stage-name`]: stage }),
    },
  };
}

function subject({ project, stage }: FreezeScope): ResourceRef {
  if (project === undefined) return { kind: "ClusterConfig", name: "cluster" };
  return stage === undefined ? { kind: "Project", name: project } : { kind: "Stage", project, name: stage };
}
