import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Api } from "#server/api/api.ts";
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
      const { project = "", name } = refFrom(c, promotions);
      await api.stages.abortPromotion({ project, promotion: name, actor: c.get("identity").actor });
      return c.body(null, 200);
    },
  },
];
