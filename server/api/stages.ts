import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { NotFoundError } from "#core/store/store.ts";
import { type Api, getResource } from "#server/api/api.ts";
import {
  deleteRoute,
  getRoute,
  type KindApi,
  listRoute,
  refFrom,
  refresh,
  refreshRoute,
} from "#server/api/kind-routes.ts";
import type { Route, ServerContext } from "#server/route.ts";

const stages: KindApi = {
  kind: "Stage",
  apiVersion: kargoV1alpha1,
  path: "/v1beta1/projects/:project/stages",
  parameter: "stage",
  plural: "Stages",
  filters: { freightOrigins: "Only stages that request freight of one of these warehouses." },
  narrow: (c) => {
    const warehouses = c.req.queries("freightOrigins") ?? [];
    return warehouses.length === 0 ? undefined : (stage) => takesFrom(stage, warehouses);
  },
};

export const stageRoutes = (api: Api): Route[] => [
  listRoute(api, stages),
  getRoute(api, stages),
  deleteRoute(api, stages),
  {
    ...refreshRoute(api, stages),
    handle: async (c) => {
      await refresh(api, refFrom(c, stages));
      await refreshCurrentPromotion(c, api);
      return c.body(null, 200);
    },
  },
];

function takesFrom(stage: Resource, warehouses: readonly string[]): boolean {
  const requests = (stage as Stage).spec.requestedFreight ?? [];
  return requests.some(({ origin }) => origin.kind === "Warehouse" && warehouses.includes(origin.name));
}

/** A refreshed stage has its running promotion looked at too. */
async function refreshCurrentPromotion(c: ServerContext, api: Api): Promise<void> {
  const stage = (await getResource(api.store, refFrom(c, stages))) as Stage;
  const name = stage.status?.currentPromotion?.name;
  const project = stage.metadata.namespace;
  if (name === undefined || project === undefined) return;
  try {
    await refresh(api, { kind: "Promotion", project, name });
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
  }
}
