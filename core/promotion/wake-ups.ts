import { abortRequest } from "#core/promotion/abort.ts";
import { isFinished } from "#core/promotion/final-phase.ts";
import type { GateResource } from "#core/promotion/gate-resource.ts";
import { keys } from "#core/promotion/keys.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { ResourceChange } from "#core/store/store.ts";

/**
 * Tells which promotions to look at again after a change: those that are new, that somebody wants refreshed
 * or aborted, whose turn it is in their stage, and whose gate was answered. What the engine itself writes
 * wakes nobody.
 */
export function createWakeUps(): (change: ResourceChange) => ResourceRef[] {
  /** By stage. Stages tell many things; whose turn it is, is news once. */
  const turns = new Map<string, string>();

  const stageKey = ({ metadata }: Resource) => `${metadata.namespace}/${metadata.name}`;

  function fromStage(stage: Stage): ResourceRef[] {
    const current = stage.status?.currentPromotion?.name;
    const key = stageKey(stage);
    if (current === turns.get(key)) return [];
    if (current === undefined) turns.delete(key);
    else turns.set(key, current);
    return current === undefined
      ? []
      : [{ kind: "Promotion", project: stage.metadata.namespace, name: current }];
  }

  return ({ type, resource }) => {
    if (type === "DELETED") {
      if (resource.kind === "Stage") turns.delete(stageKey(resource));
      return [];
    }
    switch (resource.kind) {
      case "Promotion":
        return type === "ADDED" || isAskedFor(resource as Promotion) ? [refOf(resource)] : [];
      case "Stage":
        return fromStage(resource as Stage);
      case "Gate": {
        const { metadata, spec, status } = resource as GateResource;
        if (status === undefined) return [];
        return [{ kind: "Promotion", project: metadata.namespace, name: spec.promotion }];
      }
      default:
        return [];
    }
  };
}

function isAskedFor({ metadata, status }: Promotion): boolean {
  if (isFinished(status?.phase)) return false;
  const refresh = metadata.annotations?.[keys.refresh];
  const isNews = refresh !== undefined && refresh !== status?.lastHandledRefresh;
  return isNews || abortRequest(metadata) !== undefined;
}
