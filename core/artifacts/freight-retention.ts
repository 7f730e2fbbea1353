import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { Retention } from "#core/retention.ts";
import type { Store } from "#core/store/store.ts";

/**
 * Deletes a Warehouse's freight beyond what is to be kept, by Kargo's rules: counted from the oldest piece
 * that a stage holds or a promotion still takes somewhere. Returns how many pieces it deleted.
 */
export async function deleteOldFreight(
  store: Store,
  warehouse: ResourceRef,
  { maxRetained, minAgeMs }: Retention,
  now: Date,
): Promise<number> {
  const all = await freightOf(store, warehouse);
  if (all.length <= maxRetained) return 0;
  all.sort((one, other) => foundAt(other) - foundAt(one));
  const inUse = await namesInUse(store, warehouse.project);
  const oldestInUse = all.findLastIndex(({ metadata }) => inUse.has(metadata.name));
  const old = all
    .slice(oldestInUse + 1 + maxRetained)
    .filter((freight) => now.getTime() - foundAt(freight) >= minAgeMs);
  for (const freight of old) await store.write([{ op: "delete", ref: refOf(freight) }]);
  return old.length;
}

async function freightOf(store: Store, { project, name }: ResourceRef): Promise<Freight[]> {
  const where = { "origin.name": [name] };
  return (await store.list({
    kind: "Freight",
    ...(project === undefined ? {} : { project }),
    where,
  })) as Freight[];
}

async function namesInUse(store: Store, project: string | undefined): Promise<Set<string>> {
  const scope = project === undefined ? {} : { project };
  const stages = (await store.list({ kind: "Stage", ...scope })) as Stage[];
  const open = { "status.phase": [null, "", "Pending", "Running"] };
  const promotions = (await store.list({ kind: "Promotion", ...scope, where: open })) as Promotion[];
  return new Set([
    ...stages.flatMap(({ status }) =>
      Object.values(status?.freightHistory?.[0]?.items ?? {}).map(({ name }) => name),
    ),
    ...promotions.map(({ spec }) => spec.freight ?? ""),
  ]);
}

function foundAt({ discoveredAt, metadata }: Freight): number {
  return Date.parse(discoveredAt ?? metadata.creationTimestamp ?? "");
}
