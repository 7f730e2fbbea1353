import { isDeepStrictEqual } from "node:util";
import { metricErrors } from "#core/resources/analysis-rules.ts";
import type { AnalysisTemplate } from "#core/resources/analysis-template.ts";
import type { ClusterConfig } from "#core/resources/cluster-config.ts";
import type { EventRouter } from "#core/resources/event-router.ts";
import { eventTypeErrors } from "#core/resources/event-router-rules.ts";
import type { FieldError } from "#core/resources/field-error.ts";
import type { Freight } from "#core/resources/freight.ts";
import { freightChanges, freightErrors } from "#core/resources/freight-rules.ts";
import type { MessageChannel } from "#core/resources/message-channel.ts";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import { clusterConfigErrors, projectConfigErrors } from "#core/resources/project-config-rules.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { PromotionTask } from "#core/resources/promotion-task.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Secret } from "#core/resources/secret.ts";
import { immutableErrors, secretErrors, withPlainData } from "#core/resources/secret-rules.ts";
import type { Stage } from "#core/resources/stage.ts";
import { stageErrors } from "#core/resources/stage-rules.ts";
import { stepErrors } from "#core/resources/step-rules.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";
import { warehouseErrors } from "#core/resources/warehouse-rules.ts";

export type { FieldError } from "#core/resources/field-error.ts";
export { freightContentErrors } from "#core/resources/freight-rules.ts";
export { clusterConfigName } from "#core/resources/project-config-rules.ts";

/** Labels and annotations that Kargo keeps in step with fields. */
export const wellKnown = {
  alias: "kargo.akuity.io/alias",
  project: "kargo.akuity.io/project",
  shard: "kargo.akuity.io/shard",
} as const;

/**
 * The resource as it is to be stored: what Kargo's admission fills in from the resource alone. What it
 * takes more than the resource to know (names and aliases of freight, a promotion's steps) is the
 * caller's to fill in.
 */
export function applyDefaults<R extends Resource>(resource: R, now: Date): R {
  switch (resource.kind) {
    case "Stage":
    case "Warehouse": {
      const { shard } = (resource as unknown as Stage | Warehouse).spec;
      const withShard = withLabel(resource, wellKnown.shard, shard);
      return resource.kind === "Warehouse" ? withDiscoveryLimits(withShard) : withShard;
    }
    case "Freight": {
      const freight = resource as unknown as Freight;
      const discoveredAt = freight.discoveredAt ?? freight.metadata.creationTimestamp ?? now.toISOString();
      return withLabel({ ...resource, discoveredAt }, wellKnown.alias, freight.alias);
    }
    case "ProjectConfig":
      return {
        ...resource,
        metadata: { ...resource.metadata, namespace: resource.metadata.namespace ?? resource.metadata.name },
      };
    case "Secret":
      return withPlainData(resource);
    default:
      return resource;
  }
}

/** The rules of Kargo's admission that a resource breaks, as far as it and its earlier self tell. */
export function validateResource(resource: Resource, before?: Resource): FieldError[] {
  const own = ownErrors(resource);
  return before === undefined ? own : [...own, ...changeErrors(before, resource)];
}

function ownErrors(resource: Resource): FieldError[] {
  switch (resource.kind) {
    case "Stage":
      return stageErrors(resource as unknown as Stage);
    case "Warehouse":
      return warehouseErrors(resource as unknown as Warehouse);
    case "PromotionTask":
    case "ClusterPromotionTask":
      return stepErrors((resource as unknown as PromotionTask).spec.steps, "task", ["spec", "steps"]);
    case "Promotion":
      return promotionErrors(resource as unknown as Promotion);
    case "ProjectConfig":
      return projectConfigErrors(resource as unknown as ProjectConfig);
    case "ClusterConfig":
      return clusterConfigErrors(resource as unknown as ClusterConfig);
    case "Freight":
      return freightErrors(resource as unknown as Freight);
    case "MessageChannel":
    case "ClusterMessageChannel":
      return channelErrors(resource as unknown as MessageChannel);
    case "EventRouter":
      return eventTypeErrors(resource as unknown as EventRouter);
    case "AnalysisTemplate":
    case "ClusterAnalysisTemplate":
    case "AnalysisRun":
      return metricErrors(resource as unknown as AnalysisTemplate);
    case "Secret":
      return secretErrors(resource as unknown as Secret);
    default:
      return [];
  }
}

function changeErrors(before: Resource, after: Resource): FieldError[] {
  switch (after.kind) {
    case "Promotion":
      if (isDeepStrictEqual(before.spec, after.spec)) return [];
      return [{ path: ["spec"], message: "the spec of a promotion never changes" }];
    case "Freight":
      return freightChanges(before as unknown as Freight, after as unknown as Freight);
    case "Secret":
    case "ConfigMap":
      return immutableErrors(before as unknown as Secret, after as unknown as Secret);
    default:
      return [];
  }
}

function promotionErrors({ spec }: Promotion): FieldError[] {
  const errors = stepErrors(spec.steps ?? [], "promotion", ["spec", "steps"]);
  if ((spec.freight === undefined) === (spec.origin === undefined)) {
    errors.push({ path: ["spec"], message: 'a promotion has exactly one of "freight" and "origin"' });
  }
  return errors;
}

function channelErrors({ spec }: MessageChannel): FieldError[] {
  const given = (["slack", "smtp", "http"] as const).filter((type) => spec[type] !== undefined);
  if (given.length === 1) return [];
  const found = given.length === 0 ? "none" : given.join(" and ");
  return [{ path: ["spec"], message: `a channel has exactly one of slack, smtp and http; found ${found}` }];
}

function withLabel<R extends Resource>(resource: R, label: string, value: string | undefined): R {
  const { [label]: _, ...others } = resource.metadata.labels ?? {};
  const labels = value ? { ...others, [label]: value } : others;
  return { ...resource, metadata: { ...resource.metadata, labels } };
}

/** A limit of 0 means the default, as in Kargo. */
function withDiscoveryLimits<R extends Resource>(resource: R): R {
  const { spec } = resource as unknown as Warehouse;
  const subscriptions = spec.subscriptions.map(({ name, ...types }) => {
    const limited = Object.entries(types).map(([type, config]) => [
      type,
      config && { ...config, discoveryLimit: config.discoveryLimit || 20 },
    ]);
    return { ...(name === undefined ? {} : { name }), ...Object.fromEntries(limited) };
  });
  return { ...resource, spec: { ...spec, subscriptions } };
}
