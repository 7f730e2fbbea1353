import { argoV1alpha1, kargoEnterpriseV1alpha1, kargoV1alpha1 } from "#core/resources/api-versions.ts";
import type { Api } from "#server/api/api.ts";
import { deleteRoute, getRoute, type KindApi, listRoute } from "#server/api/kind-routes.ts";
import type { Route } from "#server/route.ts";

/** Kinds that are only listed, shown and deleted. Those below the first four are not in Kargo's own API. */
const kinds: readonly KindApi[] = [
  {
    kind: "PromotionTask",
    apiVersion: kargoV1alpha1,
    path: "/v1beta1/projects/:project/promotion-tasks",
    parameter: "promotion-task",
    plural: "PromotionTasks",
  },
  {
    kind: "ClusterPromotionTask",
    apiVersion: kargoV1alpha1,
    path: "/v1beta1/shared/cluster-promotion-tasks",
    parameter: "cluster-promotion-task",
    plural: "ClusterPromotionTasks",
  },
  {
    kind: "AnalysisTemplate",
    apiVersion: argoV1alpha1,
    path: "/v1beta1/projects/:project/analysis-templates",
    parameter: "analysis-template",
    plural: "AnalysisTemplates",
  },
  {
    kind: "ClusterAnalysisTemplate",
    apiVersion: argoV1alpha1,
    path: "/v1beta1/shared/cluster-analysis-templates",
    parameter: "cluster-analysis-template",
    plural: "ClusterAnalysisTemplates",
  },
  {
    kind: "AnalysisRun",
    apiVersion: argoV1alpha1,
    path: "/v1beta1/projects/:project/analysis-runs",
    parameter: "analysis-run",
    plural: "AnalysisRuns",
  },
  {
    kind: "MessageChannel",
    apiVersion: kargoEnterpriseV1alpha1,
    path: "/v1beta1/projects/:project/message-channels",
    parameter: "message-channel",
    plural: "MessageChannels",
  },
  {
    kind: "ClusterMessageChannel",
    apiVersion: kargoEnterpriseV1alpha1,
    path: "/v1beta1/shared/cluster-message-channels",
    parameter: "cluster-message-channel",
    plural: "ClusterMessageChannels",
  },
  {
    kind: "EventRouter",
    apiVersion: kargoEnterpriseV1alpha1,
    path: "/v1beta1/projects/:project/event-routers",
    parameter: "event-router",
    plural: "EventRouters",
  },
  {
    kind: "CustomPromotionStep",
    apiVersion: kargoEnterpriseV1alpha1,
    path: "/v1beta1/shared/custom-promotion-steps",
    parameter: "custom-promotion-step",
    plural: "CustomPromotionSteps",
  },
];

export const plainKindRoutes = (api: Api): Route[] =>
  kinds.flatMap((kind) => {
    const spec = { ...kind, sortByName: true };
    return [listRoute(api, spec), getRoute(api, spec), deleteRoute(api, spec)];
  });
