import { UserError } from "#core/failure.ts";
import type { Freight } from "#core/resources/freight.ts";
import { kinds } from "#core/resources/kinds.ts";
import { formatRef, type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { freezeRef } from "#core/stages/freeze.ts";
import { retryConflicts } from "#core/store/retry-conflicts.ts";
import type { Store, Write } from "#core/store/store.ts";
import { type Api, getResource } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";

/** Deletes a resource and what cannot be without it, all at once; 404 when it is not there. */
export async function deleteResource(api: Api, ref: ResourceRef): Promise<Resource> {
  const { store } = api;
  return retryConflicts(async () => {
    const resource = await getResource(store, ref);
    await requireUnused(store, resource);
    await store.write([...(await consequencesOf(store, resource)), { op: "delete", ref }]);
    return resource;
  });
}

/** Freight stays as long as a stage holds it. */
async function requireUnused(store: Store, resource: Resource): Promise<void> {
  if (resource.kind !== "Freight") return;
  const { namespace: project = "", name } = resource.metadata;
  const stages = (await store.list({ kind: "Stage", project })) as Stage[];
  const users = stages.filter((stage) => holds(stage, name)).map(({ metadata }) => `"${metadata.name}"`);
  if (users.length === 0) return;
  throw new UserError(
    `Cannot delete ${formatRef(refOf(resource))}: freight is in-use by stages (${users.join(", ")})`,
    { status: 403 },
  );
}

function holds(stage: Stage, freight: string): boolean {
  const items = Object.values(stage.status?.freightHistory?.[0]?.items ?? {});
  return items.some(({ name }) => name === freight);
}

async function consequencesOf(store: Store, resource: Resource): Promise<Write[]> {
  switch (resource.kind) {
    case "Project":
      return deleteProject(store, resource.metadata.name);
    case "Stage":
      return deleteStage(store, resource as Stage);
    default:
      return [];
  }
}

/** Everything in a project goes with it, and so does the namespace that announced it. */
async function deleteProject(store: Store, project: string): Promise<Write[]> {
  const writes: Write[] = [];
  for (const { kind, namespaced } of kinds.values()) {
    if (!namespaced) continue;
    const resources = await store.list({ kind, project });
    writes.push(...resources.map(remove));
  }
  writes.push(...(await store.list({ kind: "Freeze", project })).map(remove));
  const namespace = await store.get({ kind: "Namespace", name: project });
  return namespace ? [...writes, remove(namespace)] : writes;
}

/** A stage takes its promotions and verifications along, and freight forgets what it was there. */
async function deleteStage(store: Store, { metadata }: Stage): Promise<Write[]> {
  const { namespace: project = "", name } = metadata;
  const promotions = await store.list({ kind: "Promotion", project, where: { "spec.stage": [name] } });
  const runs = await store.list({ kind: "AnalysisRun", project, labels: { [keys.stage]: name } });
  const freight = (await store.list({ kind: "Freight", project })) as Freight[];
  const freeze = await store.get(freezeRef({ project, stage: name }));
  return [
    ...(freeze === undefined ? [] : [remove(freeze)]),
    ...promotions.map(remove),
    ...runs.map(remove),
    ...freight.flatMap((one) => forgetStage(one, name)),
  ];
}

function forgetStage(freight: Freight, stage: string): Write[] {
  const { currentlyIn, verifiedIn, approvedFor, ...status } = freight.status ?? {};
  if (![currentlyIn, verifiedIn, approvedFor].some((mark) => mark?.[stage] !== undefined)) return [];
  const left = {
    currentlyIn: without(currentlyIn, stage),
    verifiedIn: without(verifiedIn, stage),
    approvedFor: without(approvedFor, stage),
  };
  const { resourceVersion } = freight.metadata;
  return [
    {
      op: "status",
      ref: refOf(freight as Resource),
      status: { ...status, ...left },
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
  ];
}

function without<T>(record: Record<string, T> | undefined, key: string): Record<string, T> | undefined {
  if (!record) return undefined;
  const { [key]: _, ...rest } = record;
  return rest;
}

function remove(resource: Resource): Write {
  return { op: "delete", ref: refOf(resource) };
}
