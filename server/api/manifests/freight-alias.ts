import { uniqueAlias } from "#core/artifacts/prepare-freight.ts";
import { UserError } from "#core/failure.ts";
import { type Resource, refOf } from "#core/resources/resource.ts";
import { TakenError, type Write } from "#core/store/store.ts";
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
  if (other) throw aliasTaken(project, alias);
}

/** What is to be written together with a manifest: aliases that were free may be taken by now. */
export function besides(resource: Resource): Write[] {
  return resource.kind === "Freight" ? [uniqueAlias(refOf(resource))] : [];
}

/** The outcome of a write; 409 when somebody else was quicker to take the alias. */
export async function unlessTaken<T>(project: string, alias: string, writing: Promise<T>): Promise<T> {
  return await writing.catch((error) => {
    throw error instanceof TakenError ? aliasTaken(project, alias) : error;
  });
}

function aliasTaken(project: string, alias: string): UserError {
  return new UserError(
    `alias "${alias}" already used by another piece of Freight in namespace "${project}"`,
    {
      status: 409,
    },
  );
}
