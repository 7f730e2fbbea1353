import { isDeepStrictEqual } from "node:util";
import { UserError } from "#core/failure.ts";
import type { Freight } from "#core/resources/freight.ts";
import { formatRef, type Resource, refOf } from "#core/resources/resource.ts";
import type { Api } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";

export async function admitNewFreight(api: Api, declared: Freight): Promise<Resource> {
  const freight = await api.freight.prepare(declared);
  if (freight.alias) await requireFreeAlias(api, freight.metadata.namespace as string, freight.alias);
  return withAliasLabel(freight);
}

const contents = ["origin", "commits", "images", "charts", "artifacts"] as const;

/** Freight never changes what it is; only its alias, labels and annotations may. */
export async function requireSameFreight(api: Api, freight: Freight, existing: Freight): Promise<Resource> {
  const ref = refOf(existing as Resource);
  for (const field of contents) {
    if (isDeepStrictEqual(freight[field] ?? [], existing[field] ?? [])) continue;
    throw new UserError(
      `Cannot change ${formatRef(ref)}: its ${field} would change, and freight is immutable`,
      {
        status: 422,
      },
    );
  }
  if (freight.alias) await requireFreeAlias(api, ref.project as string, freight.alias, ref.name);
  return withAliasLabel({ ...freight, discoveredAt: freight.discoveredAt ?? existing.discoveredAt });
}

/** Fails with 409 when other freight of the project has the alias. */
export async function requireFreeAlias(
  api: Api,
  project: string,
  alias: string,
  owner?: string,
): Promise<void> {
  const holders = await api.store.list({ kind: "Freight", project, labels: { [keys.alias]: alias } });
  const other = holders.find(({ metadata }) => metadata.name !== owner);
  if (!other) return;
  throw new UserError(`alias "${alias}" already used by another piece of Freight in namespace "${project}"`, {
    status: 409,
  });
}

/** The alias stands in a label too, by which it is found. */
export function withAliasLabel(freight: Freight): Resource {
  const { [keys.alias]: _, ...labels } = freight.metadata.labels ?? {};
  if (freight.alias) labels[keys.alias] = freight.alias;
  return { ...freight, metadata: { ...freight.metadata, labels } } as Resource;
}
