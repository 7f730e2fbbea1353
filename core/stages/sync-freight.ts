import { referencesOf } from "#core/promotion/freight-collection.ts";
import type { Freight } from "#core/resources/freight.ts";
import { enter, isCurrentlyIn, leave } from "#core/stages/freight-status.ts";
import type { StagePass } from "#core/stages/pass.ts";
import type { Store } from "#core/store/store.ts";

/** Has every piece of freight tell whether it is in the stage; one that is gone has nothing to tell. */
export async function syncFreight({ stage, freight: desk, now }: StagePass, store: Store): Promise<void> {
  const { name } = stage.metadata;
  const held = referencesOf(stage.status.freightHistory?.[0]);
  const names = new Set(held.map((reference) => reference.name));

  for (const freight of await listFormer(
    store,
    stage.metadata.namespace,
    formerNames(stage.status.freightHistory, names),
  )) {
    const taken = desk.take(freight);
    if (isCurrentlyIn(taken, name)) desk.change(taken, leave(taken.status ?? {}, name, now));
  }
  for (const heldName of names) {
    const freight = await desk.find(heldName);
    if (freight !== undefined) desk.change(freight, enter(freight.status ?? {}, name, now));
  }
}

/** What the stage held before: only that can still say that it is there. */
function formerNames(
  history: NonNullable<StagePass["stage"]["status"]["freightHistory"]> | undefined,
  held: ReadonlySet<string>,
): string[] {
  const former = (history ?? []).slice(1).flatMap((collection) => referencesOf(collection));
  return [...new Set(former.map(({ name }) => name))].filter((name) => !held.has(name));
}

async function listFormer(store: Store, project: string | undefined, names: string[]): Promise<Freight[]> {
  const found: Freight[] = [];
  for (const name of names) {
    const freight = await store.get({ kind: "Freight", project, name });
    if (freight !== undefined) found.push(freight as Freight);
  }
  return found;
}
