import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { type Api, annotate, getResource } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";
import { getRoute, type KindApi, listRoute, refFrom, refreshRoute } from "#server/api/kind-routes.ts";
import type { Route } from "#server/route.ts";

const promotions: KindApi = {
  kind: "Promotion",
  apiVersion: kargoV1alpha1,
  path: "/v1beta1/projects/:project/promotions",
  parameter: "promotion",
  plural: "Promotions",
  sortByName: true,
  filters: { stage: "Only promotions to this stage." },
  narrow: (c) => {
    const stage = c.req.query("stage");
    return stage ? (promotion) => (promotion as Promotion).spec.stage === stage : undefined;
  },
};

const terminalPhases: ReadonlySet<string> = new Set(["Succeeded", "Failed", "Errored", "Aborted"]);

export const promotionRoutes = (api: Api): Route[] => [
  listRoute(api, promotions),
  getRoute(api, promotions),
  refreshRoute(api, promotions),
  {
    method: "POST",
    path: "/v1beta1/projects/:project/promotions/:promotion/abort",
    id: "AbortPromotion",
    summary: "Abort a promotion that has not ended",
    needs: "promote",
    answers: { 200: "It will be aborted, or has ended already." },
    handle: async (c) => {
      const ref = refFrom(c, promotions);
      const promotion = (await getResource(api.store, ref)) as Promotion;
      if (!terminalPhases.has(promotion.status?.phase ?? "")) {
        const request = { action: "terminate", actor: c.get("identity").actor };
        await annotate(api, ref, keys.abort, JSON.stringify(request));
      }
      return c.body(null, 200);
    },
  },
];
