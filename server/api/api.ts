import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import { retryConflicts } from "#core/store/retry-conflicts.ts";
import type { Store, Write } from "#core/store/store.ts";
import type { ApiTokenStore } from "#server/auth/api-tokens.ts";
import type { Authenticator } from "#server/auth/tokens.ts";
import type { ChangeFeed } from "#server/change-feed.ts";
import { notFound } from "#server/errors.ts";
import type { Services } from "#server/services.ts";
import type { Streams } from "#server/sse.ts";

/** What the handlers of the API have at hand. */
export interface Api extends Services {
  authenticator: Authenticator;
  apiTokens: ApiTokenStore;
  feed: ChangeFeed;
  streams: Streams;
}

/** The resource; 404 when it is not there. */
export async function getResource<T extends Resource = Resource>(store: Store, ref: ResourceRef): Promise<T> {
  const resource = await store.get(ref);
  if (!resource) throw notFound(ref);
  return resource as T;
}

/**
 * Reads a resource, has `edit` change it, and writes it back, with what is to be written together with it;
 * again when somebody else was quicker.
 */
export async function changeResource(
  store: Store,
  ref: ResourceRef,
  edit: (resource: Resource) => void,
  also: readonly Write[] = [],
): Promise<Resource> {
  return retryConflicts(async () => {
    const resource = await getResource(store, ref);
    edit(resource);
    const [stored] = await store.write([{ op: "update", resource }, ...also]);
    return stored ?? resource;
  });
}

/** Sets an annotation, by which Kargo asks a resource's reconciler for something. The change wakes it. */
export function annotate(store: Store, ref: ResourceRef, key: string, value: string): Promise<Resource> {
  return changeResource(store, ref, ({ metadata }) => {
    metadata.annotations = { ...metadata.annotations, [key]: value };
  });
}
