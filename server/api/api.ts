import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import { ConflictError, type Store } from "#core/store/store.ts";
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

const attempts = 5;

/**
 * Reads a resource, has `edit` change it, and writes it back; again when somebody else was quicker. An `edit`
 * that returns false changes nothing. Returns the resource as it then is.
 */
export async function changeResource(
  store: Store,
  ref: ResourceRef,
  edit: (resource: Resource) => boolean | undefined | Promise<boolean | undefined>,
): Promise<Resource> {
  return retryConflicts(async () => {
    const resource = await getResource(store, ref);
    if ((await edit(resource)) === false) return resource;
    const [stored] = await store.write([{ op: "update", resource }]);
    return stored ?? resource;
  });
}

/** Does it again when somebody else changed the resource in between. */
export async function retryConflicts<T>(work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ConflictError) || attempt === attempts) throw error;
    }
  }
}

/** Sets an annotation, by which Kargo asks a resource's reconciler for something, and wakes the reconciler. */
export async function annotate(api: Api, ref: ResourceRef, key: string, value: string): Promise<Resource> {
  const changed = await changeResource(api.store, ref, (resource) => {
    resource.metadata.annotations = { ...resource.metadata.annotations, [key]: value };
    return true;
  });
  api.scheduler.enqueue(ref);
  return changed;
}
