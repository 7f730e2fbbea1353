import { isDeepStrictEqual } from "node:util";
import type { Condition } from "#core/resources/condition.ts";
import type { Project, ProjectStatus } from "#core/resources/project.ts";
import { type Resource, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import { isControlFlow } from "#core/stages/availability.ts";
import { setCondition } from "#core/stages/conditions.ts";
import type { ResourceChange, Store } from "#core/store/store.ts";

export interface ProjectReconcilerServices {
  store: Store;
  now(): Date;
}

/** What counts of one warehouse or stage. */
interface Member {
  project: string;
  kind: "Warehouse" | "Stage";
  healthy: boolean;
  /** A stage without steps counts as none, though its health does; so it is in Kargo. */
  counts: boolean;
}

/**
 * Keeps the status of Projects: that they are ready, and how many of their warehouses and stages are healthy.
 * The members are kept in memory, so that a change of one of many stages costs no look at the others.
 */
export function createProjectReconciler({ store, now }: ProjectReconcilerServices): Reconciler {
  const members = new Map<string, Member>();

  /** The project whose numbers a change is news for. */
  function note({ type, resource }: ResourceChange): string | undefined {
    const member = memberFrom(resource);
    const uid = resource.metadata.uid ?? "";
    if (!member) return undefined;
    const before = members.get(uid);
    if (type === "DELETED") members.delete(uid);
    else members.set(uid, member);
    return type !== "DELETED" && isDeepStrictEqual(before, member) ? undefined : member.project;
  }

  function statsOf(project: string): NonNullable<ProjectStatus["stats"]> {
    const own = [...members.values()].filter((member) => member.project === project);
    const count = (kind: Member["kind"]) => {
      const some = own.filter((member) => member.kind === kind);
      const healthy = some.filter((member) => member.healthy).length;
      return { count: some.filter((member) => member.counts).length, health: { healthy } };
    };
    return { warehouses: count("Warehouse"), stages: count("Stage") };
  }

  return {
    kind: "Project",
    concurrency: 1,

    async initial() {
      for (const kind of ["Warehouse", "Stage"]) {
        for (const resource of await store.list({ kind })) note({ type: "ADDED", resource });
      }
      return (await store.list({ kind: "Project" })).map(refOf);
    },

    enqueueFor(change) {
      if (change.resource.kind === "Project")
        return change.type === "DELETED" ? [] : [refOf(change.resource)];
      const project = note(change);
      return project === undefined ? [] : [{ kind: "Project", name: project }];
    },

    async reconcile(ref) {
      const project = (await store.get(ref)) as Project | undefined;
      if (!project) return undefined;
      const { generation, resourceVersion } = project.metadata;
      const status: ProjectStatus = { ...structuredClone(project.status ?? {}), stats: statsOf(ref.name) };
      const ready = { type: "Ready", status: "True", reason: "Synced" } as const;
      const message = "Project is synced and ready for use";
      setCondition(status, { ...ready, message, observedGeneration: generation }, now());
      if (isDeepStrictEqual(status, project.status)) return undefined;
      await store.write([{ op: "status", ref, status, resourceVersion }]);
      return undefined;
    },
  };
}

function memberFrom(resource: Resource): Member | undefined {
  const { kind, metadata, status } = resource;
  if (kind !== "Warehouse" && kind !== "Stage") return undefined;
  const { conditions = [] } = (status ?? {}) as { conditions?: Condition[] };
  return {
    project: metadata.namespace ?? "",
    kind,
    healthy: conditions.some(({ type, status: state }) => type === "Healthy" && state === "True"),
    counts: kind === "Warehouse" || !isControlFlow(resource as unknown as Stage),
  };
}
