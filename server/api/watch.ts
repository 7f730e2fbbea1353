import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { ListQuery, ResourceChange } from "#core/store/store.ts";
import { type Api, getResource } from "#server/api/api.ts";
import { presenter } from "#server/api/extensions.ts";
import { ExpiredPositionError } from "#server/change-feed.ts";
import type { ServerContext } from "#server/route.ts";
import { type SseMessage, StreamError } from "#server/sse.ts";

/** What is watched: a kind, in one project or in all. */
export interface WatchQuery {
  kind: string;
  project?: string;
  name?: string;
  /** Leaves out what the reader did not ask for; a resource that no longer fits goes as DELETED. */
  fits?: (resource: Resource) => boolean;
}

export function isWatch(c: ServerContext): boolean {
  return c.req.query("watch") === "true";
}

/**
 * Streams changes in Kargo's shape, `{"type": …, "object": …}`. Without a place to go on from
 * (`resourceVersion`, or `Last-Event-ID` of a reader that comes back) what is there goes first, as ADDED.
 */
export function watchResources(c: ServerContext, api: Api, query: WatchQuery): Response {
  const after = c.req.header("Last-Event-ID") || c.req.query("resourceVersion") || undefined;
  const present = presenter(c);
  return api.streams.stream(c, (signal) => messages(api, query, present, signal, after));
}

/** Like watchResources for one resource, which must be there. */
export async function watchResource(c: ServerContext, api: Api, ref: ResourceRef): Promise<Response> {
  await getResource(api.store, ref);
  return watchResources(c, api, ref);
}

async function* messages(
  api: Api,
  query: WatchQuery,
  present: (resource: Resource) => Resource,
  signal: AbortSignal,
  after: string | undefined,
): AsyncGenerator<SseMessage> {
  const start = after ?? api.feed.position();
  if (after === undefined) {
    for (const resource of await listWatched(api, query)) {
      yield message({ type: "ADDED", resource: present(resource) }, undefined);
    }
  }
  try {
    for await (const { change, position } of api.feed.follow(signal, start)) {
      const shown = narrow(change, query);
      if (shown) yield message({ ...shown, resource: present(shown.resource) }, position);
    }
  } catch (error) {
    if (!(error instanceof ExpiredPositionError)) throw error;
    throw new StreamError("out_of_range", `watch resource version expired: ${error.message}`);
  }
}

async function listWatched(api: Api, query: WatchQuery): Promise<Resource[]> {
  const { kind, project, name, fits } = query;
  if (name !== undefined) {
    const found = await api.store.get(project === undefined ? { kind, name } : { kind, project, name });
    return found ? [found] : [];
  }
  const list: ListQuery = project === undefined ? { kind } : { kind, project };
  const all = await api.store.list(list);
  return fits ? all.filter(fits) : all;
}

function narrow(
  change: ResourceChange,
  { kind, project, name, fits }: WatchQuery,
): ResourceChange | undefined {
  const { resource, type } = change;
  if (resource.kind !== kind) return undefined;
  if (project !== undefined && resource.metadata.namespace !== project) return undefined;
  if (name !== undefined && resource.metadata.name !== name) return undefined;
  if (!fits || fits(resource)) return change;
  return type === "MODIFIED" ? { type: "DELETED", resource } : undefined;
}

function message({ type, resource }: ResourceChange, id: string | undefined): SseMessage {
  return { data: JSON.stringify({ type, object: resource }), ...(id === undefined ? {} : { id }) };
}
