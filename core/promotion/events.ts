import { controllerActor } from "#core/promotion/abort.ts";
import { keys } from "#core/promotion/keys.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { refOf } from "#core/resources/resource.ts";
import type { EventRecord } from "#core/store/store.ts";

/** Begins the annotations of events that Kargo's own tools read. */
export const eventPrefix = "event.kargo.akuity.io/";

/** The event that tells of a promotion's end, annotated as Kargo annotates it. */
export function promotionEvent(
  promotion: Promotion,
  freight: Freight | undefined,
  { phase, message, at, actor }: { phase: string; message: string; at: Date; actor?: string },
): EventRecord {
  const annotations: Record<string, string> = {
    [`${eventPrefix}project`]: promotion.metadata.namespace ?? "",
    [`${eventPrefix}actor`]: actor ?? promotion.metadata.annotations?.[keys.createActor] ?? controllerActor,
    [`${eventPrefix}promotion-name`]: promotion.metadata.name,
    [`${eventPrefix}stage-name`]: promotion.spec.stage,
    [`${eventPrefix}promotion-create-time`]: promotion.metadata.creationTimestamp ?? "",
    ...(freight === undefined ? {} : freightAnnotations(freight)),
  };
  if (isRollback(promotion)) annotations[`${eventPrefix}rollback`] = "true";
  return {
    at: at.toISOString(),
    project: promotion.metadata.namespace,
    type: phase === "Failed" || phase === "Errored" ? "Warning" : "Normal",
    reason: `Promotion${phase}`,
    message,
    regarding: { ...refOf(promotion), uid: promotion.metadata.uid },
    annotations,
  };
}

export function isRollback(promotion: Promotion): boolean {
  return promotion.metadata.annotations?.[keys.rollback] === "true";
}

/** What events tell of a piece of freight. */
export function freightAnnotations(freight: Freight): Record<string, string> {
  const annotations: Record<string, string> = {
    [`${eventPrefix}freight-name`]: freight.metadata.name,
    [`${eventPrefix}freight-create-time`]: freight.discoveredAt ?? freight.metadata.creationTimestamp ?? "",
    [`${eventPrefix}freight-warehouse-name`]: freight.origin.name,
  };
  if (freight.alias) annotations[`${eventPrefix}freight-alias`] = freight.alias;
  for (const kind of ["commits", "images", "charts", "artifacts"] as const) {
    if (freight[kind]?.length) annotations[`${eventPrefix}freight-${kind}`] = JSON.stringify(freight[kind]);
  }
  return annotations;
}
