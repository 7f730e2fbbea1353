import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import { type Api, annotate, getResource } from "#server/api/api.ts";
import { presenter } from "#server/api/extensions.ts";
import { keys } from "#server/api/keys.ts";
import { byName, resourceList } from "#server/api/lists.ts";
import { deleteResource } from "#server/api/manifests/delete.ts";
import { isWatch, watchResource, watchResources } from "#server/api/watch.ts";
import type { Route, ServerContext } from "#server/route.ts";

/** How a kind that is only listed, shown, watched and deleted appears in the API. */
export interface KindApi {
  kind: string;
  apiVersion: string;
  /** Folder of the kind, such as `/v1beta1/projects/:project/stages`. */
  path: string;
  /** Name of the path parameter that names one of them. */
  parameter: string;
  plural: string;
  /** Oldest first without it. */
  sortByName?: boolean;
  /** Query parameters by which the list and its watch can be narrowed, and what they mean. */
  filters?: Record<string, string>;
  narrow?: (c: ServerContext) => ((resource: Resource) => boolean) | undefined;
}

export function listRoute(api: Api, spec: KindApi): Route {
  const { kind, apiVersion, path, plural, filters = {}, narrow } = spec;
  return {
    method: "GET",
    path,
    id: `List${plural}`,
    summary: `List ${plural}, or watch them`,
    needs: "view",
    query: {
      ...filters,
      watch: "`true` streams changes as server-sent events.",
      resourceVersion: "Place to stream from: `metadata.resourceVersion` of a list.",
      extensions: "`true` tells fields too that Kargo does not know.",
    },
    answers: { 200: `A ${kind}List.` },
    handle: async (c) => {
      const project = c.req.param("project");
      const fits = narrow?.(c);
      if (isWatch(c)) {
        return watchResources(c, api, {
          kind,
          ...(project === undefined ? {} : { project }),
          ...(fits ? { fits } : {}),
        });
      }
      // Taken before the list is: changes in between are told twice rather than not at all.
      const position = api.feed.position();
      const all = await api.store.list(project === undefined ? { kind } : { kind, project });
      const items = fits ? all.filter(fits) : all;
      if (spec.sortByName) items.sort(byName);
      return c.json(resourceList(kind, apiVersion, items.map(presenter(c)), position));
    },
  };
}

export function getRoute(api: Api, spec: KindApi): Route {
  return {
    method: "GET",
    path: `${spec.path}/:${spec.parameter}`,
    id: `Get${spec.kind}`,
    summary: `Get a ${spec.kind}, or watch it`,
    needs: "view",
    query: {
      watch: "`true` streams changes as server-sent events.",
      extensions: "`true` tells fields too that Kargo does not know.",
    },
    answers: { 200: `The ${spec.kind}.` },
    handle: async (c) => {
      const ref = refFrom(c, spec);
      return isWatch(c)
        ? watchResource(c, api, ref)
        : c.json(presenter(c)(await getResource(api.store, ref)));
    },
  };
}

export function deleteRoute(api: Api, spec: KindApi): Route {
  return {
    method: "DELETE",
    path: `${spec.path}/:${spec.parameter}`,
    id: `Delete${spec.kind}`,
    summary: `Delete a ${spec.kind}`,
    needs: "edit",
    answers: { 204: "It is gone." },
    handle: async (c) => {
      await deleteResource(api, refFrom(c, spec));
      return c.body(null, 204);
    },
  };
}

/** Asks a resource's reconciler to look at it now. */
export function refreshRoute(api: Api, spec: KindApi): Route {
  return {
    method: "POST",
    path: `${spec.path}/:${spec.parameter}/refresh`,
    id: `Refresh${spec.kind}`,
    summary: `Have a ${spec.kind} looked at now`,
    needs: "promote",
    answers: { 200: "It will be looked at." },
    handle: async (c) => {
      await refresh(api, refFrom(c, spec));
      return c.body(null, 200);
    },
  };
}

export function refFrom(c: ServerContext, { kind, parameter }: KindApi): ResourceRef {
  const project = c.req.param("project");
  const name = c.req.param(parameter) as string;
  return project === undefined ? { kind, name } : { kind, project, name };
}

/** Leaves Kargo's annotation for the reconciler; its value is told back as `status.lastHandledRefresh`. */
export function refresh(api: Api, ref: ResourceRef): Promise<Resource> {
  return annotate(api.store, ref, keys.refresh, api.now().toISOString());
}
