import { isFinished } from "#core/promotion/final-phase.ts";
import { type Freight, originKey } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { formatRef, type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { FreezeResource, FreezeScope } from "#core/stages/freeze.ts";
import { keys } from "#core/stages/keys.ts";
import { createStageIndex } from "#core/stages/stage-index.ts";
import { isOver } from "#core/stages/verification/phases.ts";
import type { ResourceChange } from "#core/store/store.ts";

/** Tells which stages a change is news for: those it has to do with, and no others. */
export interface StageWakeUps {
  enqueueFor(change: ResourceChange): ResourceRef[];
  /** Makes the stages known that were there before any change. */
  know(stages: readonly Stage[]): void;
}

export function createStageWakeUps(): StageWakeUps {
  const index = createStageIndex();
  /** By resource: what was last seen of it, as far as stages care. */
  const seen = new Map<string, string>();
  /** By stage, where others take what it holds as one: what it held last, and how its verification stood. */
  const heldBefore = new Map<string, string>();
  const seenMarks = new Map<string, FreightMarks>();

  /** Whether what matters of the resource is other than it was last time. */
  function isNews(resource: Resource, matter: unknown, isLast: boolean): boolean {
    const key = formatRef(refOf(resource));
    const text = JSON.stringify(matter);
    const isSame = seen.get(key) === text;
    if (isLast) seen.delete(key);
    else seen.set(key, text);
    return !isSame;
  }

  function fromStage({ type, resource }: ResourceChange): ResourceRef[] {
    const { annotations = {}, labels, generation } = resource.metadata;
    if (type === "DELETED") index.forget(resource as Stage);
    else index.know(resource as Stage);
    const asked = [
      annotations[keys.refresh],
      annotations[keys.reverify],
      annotations[keys.abort],
      annotations[keys.autoPromotion],
    ];
    const own = isNews(resource, [generation, labels, asked], type === "DELETED") ? [refOf(resource)] : [];
    return [...own, ...fromHeld(resource as Stage)];
  }

  /** Whoever takes what a stage holds as one waits for it to be verified as it is, be all of it verified before. */
  function fromHeld({ metadata, status }: Stage): ResourceRef[] {
    const { namespace: project = "", name } = metadata;
    const followers = [...index.combiningFrom(project, name)];
    if (followers.length === 0) return [];
    const [held] = status?.freightHistory ?? [];
    const matter = `${held?.id} ${held?.verificationHistory?.[0]?.phase}`;
    const key = `${project}/${name}`;
    if (heldBefore.get(key) === matter) return [];
    heldBefore.set(key, matter);
    return fromProject(project, followers);
  }

  function fromPromotion({ type, resource }: ResourceChange): ResourceRef[] {
    const { metadata, spec, status } = resource as Promotion;
    const isLast = type === "DELETED" || isFinished(status?.phase);
    // The freight stands in the status of the stage as soon as the promotion knows it.
    if (!isNews(resource, [type === "DELETED", status?.phase ?? "Pending", status?.freight?.name], isLast))
      return [];
    return [{ kind: "Stage", project: metadata.namespace, name: spec.stage }];
  }

  function fromRun({ type, resource }: ResourceChange): ResourceRef[] {
    const { namespace: project, labels, annotations } = resource.metadata;
    const name = annotations?.[keys.stage] ?? labels?.[keys.stage];
    const { phase } = (resource.status ?? {}) as { phase?: Parameters<typeof isOver>[0] };
    if (
      name === undefined ||
      !isNews(resource, [type === "DELETED", phase], type === "DELETED" || isOver(phase))
    )
      return [];
    return [{ kind: "Stage", project, name }];
  }

  function fromFreight({ type, resource }: ResourceChange): ResourceRef[] {
    const { metadata, origin, status } = resource as Freight;
    const { namespace: project = "" } = metadata;
    const key = formatRef(refOf(resource));
    const marks = marksOf(status);
    const before = seenMarks.get(key);
    if (type === "DELETED") seenMarks.delete(key);
    else seenMarks.set(key, marks);
    if (type === "DELETED") return [];

    const names = new Set<string>(type === "ADDED" ? index.directlyFrom(project, origin.name) : []);
    for (const stage of changed(marks.approvedFor, before?.approvedFor)) names.add(stage);
    const moved = [
      ...changed(marks.verifiedIn, before?.verifiedIn),
      ...changed(marks.currentlyIn, before?.currentlyIn),
    ];
    for (const upstream of moved) {
      for (const stage of index.downstreamOf(project, upstream, originKey(origin))) names.add(stage);
    }
    return [...names].map((name) => ({ kind: "Stage", project, name }));
  }

  function fromProject(project: string | undefined, names: Iterable<string>): ResourceRef[] {
    return [...names].map((name) => ({ kind: "Stage", project, name }));
  }

  function everywhere(): ResourceRef[] {
    return [...index.projects()].flatMap((project) => fromProject(project, index.all(project)));
  }

  function fromFreeze({ project, stage }: FreezeScope): ResourceRef[] {
    if (project === undefined) return everywhere();
    return fromProject(project, stage === undefined ? index.all(project) : [stage]);
  }

  return {
    know(stages) {
      for (const stage of stages) index.know(stage);
    },
    enqueueFor(change) {
      const { metadata, kind } = change.resource;
      const project = metadata.namespace ?? "";
      switch (kind) {
        case "Stage":
          return fromStage(change);
        case "Promotion":
          return fromPromotion(change);
        case "Freight":
          return fromFreight(change);
        case "AnalysisRun":
          return fromRun(change);
        case "ProjectConfig":
          if (!isNews(change.resource, metadata.generation, change.type === "DELETED")) return [];
          return fromProject(metadata.namespace, index.all(project));
        case "ClusterConfig":
          return isNews(change.resource, metadata.generation, change.type === "DELETED") ? everywhere() : [];
        // The windows of the installation may be for projects with certain labels.
        case "Project":
          if (!isNews(change.resource, metadata.labels ?? {}, change.type === "DELETED")) return [];
          return fromProject(metadata.name, index.all(metadata.name));
        case "Freeze":
          return fromFreeze((change.resource as FreezeResource).spec);
        case "Warehouse":
          return change.type === "ADDED"
            ? fromProject(metadata.namespace, index.from(project, metadata.name))
            : [];
        default:
          return [];
      }
    },
  };
}

/** The stages that freight is marked for. There may be a thousand of them, so they are looked up, not searched. */
interface FreightMarks {
  verifiedIn: ReadonlySet<string>;
  currentlyIn: ReadonlySet<string>;
  approvedFor: ReadonlySet<string>;
}

function marksOf({
  verifiedIn = {},
  currentlyIn = {},
  approvedFor = {},
}: NonNullable<Freight["status"]> = {}): FreightMarks {
  return {
    verifiedIn: new Set(Object.keys(verifiedIn)),
    currentlyIn: new Set(Object.keys(currentlyIn)),
    approvedFor: new Set(Object.keys(approvedFor)),
  };
}

/** What is in one of them and not in the other. */
function changed(now: ReadonlySet<string>, before: ReadonlySet<string> = new Set()): string[] {
  return [...now.symmetricDifference(before)];
}
