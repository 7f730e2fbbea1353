import { UserError } from "#core/failure.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Api } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";

/** Freight by its name or, if there is none, by its alias; 404 when it is neither. */
export async function getFreight(api: Api, project: string, nameOrAlias: string): Promise<Freight> {
  const freight =
    (await findFreightByName(api, project, nameOrAlias)) ??
    (await findFreightByAlias(api, project, nameOrAlias));
  if (freight) return freight;
  throw new UserError(`Freight with name or alias "${nameOrAlias}" not found in project "${project}"`, {
    status: 404,
  });
}

export async function findFreightByName(
  api: Api,
  project: string,
  name: string,
): Promise<Freight | undefined> {
  return (await api.store.get({ kind: "Freight", project, name })) as Freight | undefined;
}

export async function findFreightByAlias(
  api: Api,
  project: string,
  alias: string,
): Promise<Freight | undefined> {
  const [freight] = await api.store.list({ kind: "Freight", project, labels: { [keys.alias]: alias } });
  return freight as Freight | undefined;
}
