import { UserError } from "#core/failure.ts";
import type { ResourceRef } from "#core/resources/resource.ts";
import { type Api, getResource } from "#server/api/api.ts";
import { refresh } from "#server/api/kind-routes.ts";
import { deleteResource } from "#server/api/manifests/delete.ts";
import { systemNamespace } from "#server/api/namespaces.ts";
import { isWatch, watchResource } from "#server/api/watch.ts";
import type { Route, ServerContext } from "#server/route.ts";

const clusterConfig: ResourceRef = { kind: "ClusterConfig", name: "cluster" };

/** The two kinds of which there is one: a ProjectConfig for each project, and the ClusterConfig. */
export const configRoutes = (api: Api): Route[] => [
  ...singletonRoutes(api, "ProjectConfig", "/v1beta1/projects/:project/config", (c) => {
    const project = c.req.param("project") as string;
    return { kind: "ProjectConfig", project, name: project };
  }),
  ...singletonRoutes(api, "ClusterConfig", "/v1beta1/system/cluster-config", () => clusterConfig),
  {
    // Where Kargo's own client watches it, though Kargo's server does not know the path.
    method: "GET",
    path: "/v1beta1/cluster-config",
    id: "WatchClusterConfig",
    summary: "Watch the ClusterConfig",
    needs: "view",
    owner: systemNamespace,
    query: { watch: "`true` streams changes; nothing else is answered here." },
    answers: { 200: "A stream of changes." },
    handle: (c) => {
      if (!isWatch(c)) throw new UserError("Ask /v1beta1/system/cluster-config", { status: 404 });
      return watchResource(c, api, clusterConfig);
    },
  },
];

function singletonRoutes(
  api: Api,
  kind: string,
  path: string,
  refFrom: (c: ServerContext) => ResourceRef,
): Route[] {
  const isClusterConfig = kind === "ClusterConfig";
  const edit = isClusterConfig ? "administer" : "edit";
  // Its status tells addresses that nobody should know who need not.
  const owner = isClusterConfig ? systemNamespace : undefined;
  const routes: Route[] = [
    {
      method: "GET",
      path,
      id: `Get${kind}`,
      summary: `Get the ${kind}, or watch it`,
      needs: "view",
      query: { watch: "`true` streams changes as server-sent events." },
      answers: { 200: `The ${kind}.` },
      handle: async (c) => {
        const ref = refFrom(c);
        return isWatch(c) ? watchResource(c, api, ref) : c.json(await getResource(api.store, ref));
      },
    },
    {
      method: "POST",
      path: `${path}/refresh`,
      id: `Refresh${kind}`,
      summary: `Have the ${kind} looked at now`,
      needs: edit,
      answers: { 200: "It will be looked at." },
      handle: async (c) => {
        await refresh(api, refFrom(c));
        return c.body(null, 200);
      },
    },
    {
      method: "DELETE",
      path,
      id: `Delete${kind}`,
      summary: `Delete the ${kind}`,
      needs: edit,
      answers: { 204: "It is gone." },
      handle: async (c) => {
        await deleteResource(api, refFrom(c));
        return c.body(null, 204);
      },
    },
  ];
  return routes.map((route) => ({ ...route, owner }));
}
