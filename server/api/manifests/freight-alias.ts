import { UserError } from "#core/failure.ts";
import type { Api } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";

/** Fails with 409 when freight of the project other than `owner` has the alias. */
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
