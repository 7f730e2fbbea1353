import type { Resource } from "#core/resources/resource.ts";
import type { ListQuery, Store } from "#core/store/store.ts";

/** A list as Kubernetes answers one. `resourceVersion` is the place a watch can go on from. */
export interface ResourceList {
  apiVersion: string;
  kind: string;
  metadata: { resourceVersion?: string };
  items: Resource[];
}

export function resourceList(
  kind: string,
  apiVersion: string,
  items: Resource[],
  resourceVersion?: string,
): ResourceList {
  return {
    apiVersion,
    kind: `${kind}List`,
    metadata: resourceVersion === undefined ? {} : { resourceVersion },
    items,
  };
}

export async function listByName(store: Store, query: ListQuery): Promise<Resource[]> {
  return (await store.list(query)).sort(byName);
}

/** Byte order, as Kargo sorts names. */
export function byName(one: Resource, other: Resource): number {
  if (one.metadata.name === other.metadata.name) return 0;
  return one.metadata.name < other.metadata.name ? -1 : 1;
}
