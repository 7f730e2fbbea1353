import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import type { Api } from "#server/api/api.ts";
import { deleteRoute, getRoute, type KindApi, listRoute, refreshRoute } from "#server/api/kind-routes.ts";
import type { Route } from "#server/route.ts";

const warehouses: KindApi = {
  kind: "Warehouse",
  apiVersion: kargoV1alpha1,
  path: "/v1beta1/projects/:project/warehouses",
  parameter: "warehouse",
  plural: "Warehouses",
};

export const warehouseRoutes = (api: Api): Route[] => [
  listRoute(api, warehouses),
  getRoute(api, warehouses),
  deleteRoute(api, warehouses),
  refreshRoute(api, warehouses),
];
