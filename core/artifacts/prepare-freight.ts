import { freeAlias } from "#core/artifacts/freight-alias.ts";
import { freightName } from "#core/artifacts/freight-id.ts";
import { UserError } from "#core/failure.ts";
import type { Freight } from "#core/resources/freight.ts";
import { freightContentErrors, freightErrors } from "#core/resources/freight-rules.ts";
import { formatPath } from "#core/resources/path.ts";
import type { ResourceRef } from "#core/resources/resource.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";
import { toTime } from "#core/stages/times.ts";
import type { Store, Write } from "#core/store/store.ts";

export const aliasLabel = "kargo.akuity.io/alias";

/** To be written together with freight: two pieces of a project never have one alias, whoever is quicker. */
export function uniqueAlias(ref: ResourceRef): Write {
  return { op: "unique", ref, label: aliasLabel };
}

export interface PrepareOptions {
  now: Date;
  random?: () => number;
}

/**
 * Completes freight that somebody assembled (the name that follows from its contents, an alias that is free
 * in the project, when it was found) and holds it against its Warehouse. Writes nothing. Fails with a
 * UserError that names every field that is wrong.
 */
export async function prepareFreight(
  store: Store,
  freight: Freight,
  options: PrepareOptions,
): Promise<Freight> {
  const project = freight.metadata.namespace ?? "";
  const warehouse = await store.get({ kind: "Warehouse", project, name: freight.origin.name });
  if (warehouse === undefined) {
    throw new UserError(
      `Cannot create freight in project "${project}": Warehouse "${freight.origin.name}" does not exist`,
      { status: 422 },
    );
  }
  const errors = [...freightErrors(freight), ...freightContentErrors(freight, warehouse as Warehouse)];
  if (errors.length > 0) {
    const list = errors.map(({ path, message }) => [formatPath(path), message].filter(Boolean).join(": "));
    throw new UserError(`Cannot create freight in project "${project}": ${list.join("; ")}`, { status: 422 });
  }
  if (freight.alias && (await isAliasTaken(store, project, freight.alias))) {
    throw new UserError(
      `Cannot create freight in project "${project}": alias "${freight.alias}" is used by other freight`,
      { status: 409, hint: "choose another alias, or none to get one" },
    );
  }
  return completeFreight(store, freight, options);
}

/** The same without the checks, for freight that was made of what a Warehouse has just found. */
export async function completeFreight(
  store: Store,
  freight: Freight,
  { now, random }: PrepareOptions,
): Promise<Freight> {
  const project = freight.metadata.namespace ?? "";
  const alias = freight.alias || (await freeAlias((wanted) => isAliasTaken(store, project, wanted), random));
  const labels = { ...freight.metadata.labels, [aliasLabel]: alias };
  return {
    ...freight,
    metadata: { ...freight.metadata, name: freightName(freight), labels },
    alias,
    discoveredAt: freight.discoveredAt ?? toTime(now),
  };
}

async function isAliasTaken(store: Store, project: string, alias: string): Promise<boolean> {
  const found = await store.list({ kind: "Freight", project, labels: { [aliasLabel]: alias }, limit: 1 });
  return found.length > 0;
}
