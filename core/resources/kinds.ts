import type { z } from "zod";
import { AnalysisRun } from "#core/resources/analysis-run.ts";
import { AnalysisTemplate } from "#core/resources/analysis-template.ts";
import {
  argoV1alpha1,
  coreV1,
  kargoEnterpriseV1alpha1,
  kargoV1alpha1,
} from "#core/resources/api-versions.ts";
import { ClusterAnalysisTemplate } from "#core/resources/cluster-analysis-template.ts";
import { ClusterConfig } from "#core/resources/cluster-config.ts";
import { ClusterMessageChannel } from "#core/resources/cluster-message-channel.ts";
import { ClusterPromotionTask } from "#core/resources/cluster-promotion-task.ts";
import { ConfigMap } from "#core/resources/config-map.ts";
import { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import { EventRouter } from "#core/resources/event-router.ts";
import { Freight } from "#core/resources/freight.ts";
import { MessageChannel } from "#core/resources/message-channel.ts";
import { Namespace } from "#core/resources/namespace.ts";
import { Project } from "#core/resources/project.ts";
import { ProjectConfig } from "#core/resources/project-config.ts";
import { Promotion } from "#core/resources/promotion.ts";
import { PromotionTask } from "#core/resources/promotion-task.ts";
import { Secret } from "#core/resources/secret.ts";
import { ServiceAccount } from "#core/resources/service-account.ts";
import { Stage } from "#core/resources/stage.ts";
import { Warehouse } from "#core/resources/warehouse.ts";

/** What is known of one kind of resource. */
export interface KindDefinition {
  kind: string;
  apiVersion: string;
  /** As URLs and the command line name it: `stages`. */
  plural: string;
  /** Whether a resource of the kind belongs to a project. */
  namespaced: boolean;
  schema: z.ZodObject;
}

const definitions: readonly KindDefinition[] = [
  { kind: "Project", apiVersion: kargoV1alpha1, plural: "projects", namespaced: false, schema: Project },
  {
    kind: "ProjectConfig",
    apiVersion: kargoV1alpha1,
    plural: "projectconfigs",
    namespaced: true,
    schema: ProjectConfig,
  },
  { kind: "Warehouse", apiVersion: kargoV1alpha1, plural: "warehouses", namespaced: true, schema: Warehouse },
  { kind: "Freight", apiVersion: kargoV1alpha1, plural: "freights", namespaced: true, schema: Freight },
  { kind: "Stage", apiVersion: kargoV1alpha1, plural: "stages", namespaced: true, schema: Stage },
  { kind: "Promotion", apiVersion: kargoV1alpha1, plural: "promotions", namespaced: true, schema: Promotion },
  {
    kind: "PromotionTask",
    apiVersion: kargoV1alpha1,
    plural: "promotiontasks",
    namespaced: true,
    schema: PromotionTask,
  },
  {
    kind: "ClusterPromotionTask",
    apiVersion: kargoV1alpha1,
    plural: "clusterpromotiontasks",
    namespaced: false,
    schema: ClusterPromotionTask,
  },
  {
    kind: "ClusterConfig",
    apiVersion: kargoV1alpha1,
    plural: "clusterconfigs",
    namespaced: false,
    schema: ClusterConfig,
  },
  { kind: "Namespace", apiVersion: coreV1, plural: "namespaces", namespaced: false, schema: Namespace },
  { kind: "Secret", apiVersion: coreV1, plural: "secrets", namespaced: true, schema: Secret },
  { kind: "ConfigMap", apiVersion: coreV1, plural: "configmaps", namespaced: true, schema: ConfigMap },
  {
    kind: "ServiceAccount",
    apiVersion: coreV1,
    plural: "serviceaccounts",
    namespaced: true,
    schema: ServiceAccount,
  },
  {
    kind: "AnalysisTemplate",
    apiVersion: argoV1alpha1,
    plural: "analysistemplates",
    namespaced: true,
    schema: AnalysisTemplate,
  },
  {
    kind: "ClusterAnalysisTemplate",
    apiVersion: argoV1alpha1,
    plural: "clusteranalysistemplates",
    namespaced: false,
    schema: ClusterAnalysisTemplate,
  },
  {
    kind: "AnalysisRun",
    apiVersion: argoV1alpha1,
    plural: "analysisruns",
    namespaced: true,
    schema: AnalysisRun,
  },
  {
    kind: "CustomPromotionStep",
    apiVersion: kargoEnterpriseV1alpha1,
    plural: "custompromotionsteps",
    namespaced: false,
    schema: CustomPromotionStep,
  },
  {
    kind: "MessageChannel",
    apiVersion: kargoEnterpriseV1alpha1,
    plural: "messagechannels",
    namespaced: true,
    schema: MessageChannel,
  },
  {
    kind: "ClusterMessageChannel",
    apiVersion: kargoEnterpriseV1alpha1,
    plural: "clustermessagechannels",
    namespaced: false,
    schema: ClusterMessageChannel,
  },
  {
    kind: "EventRouter",
    apiVersion: kargoEnterpriseV1alpha1,
    plural: "eventrouters",
    namespaced: true,
    schema: EventRouter,
  },
];

/** Every kind of resource, by its name. */
export const kinds: ReadonlyMap<string, KindDefinition> = new Map(
  definitions.map((definition) => [definition.kind, definition]),
);

/** The kind that a user means by `Stage`, `stage` or `stages`. */
export function findKind(name: string): KindDefinition | undefined {
  const lower = name.toLowerCase();
  return (
    kinds.get(name) ??
    definitions.find(({ kind, plural }) => kind.toLowerCase() === lower || plural === lower)
  );
}
