import { controllerActor } from "#core/promotion/abort.ts";
import { keys } from "#core/promotion/keys.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { refOf } from "#core/resources/resource.ts";
import type { EventRecord } from "#core/store/store.ts";

const prefix = "event.kargo.akuity.io/";

/** The event that tells of a promotion's end, annotated as Kargo annotates it. */
export function promotionEvent(
  promotion: Promotion,
  freight: Freight | undefined,
  { phase, message, at, actor }: { phase: string; message: string; at: Date; actor?: string },
): EventRecord {
  const annotations: Record<string, string> = {
    [`${prefix}project`]: promotion.metadata.namespace ?? "",
    [`${prefix}actor`]: actor ?? promotion.metadata.annotations?.[keys.createActor] ?? controllerActor,
    [`${prefix}promotion-name`]: promotion.metadata.name,
    [`${prefix}stage-name`]: promotion.spec.stage,
    [`${prefix}promotion-create-time`]: promotion.metadata.creationTimestamp ?? "",
    ...(freight === undefined ? {} : freightAnnotations(freight)),
  };
  if (isRollback(promotion)) annotations[`${prefix}rollback`] = "true";
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

function freightAnnotations(freight: Freight): Record<string, string> {
  const annotations: Record<string, string> = {
    [`${prefix}freight-name`]: freight.metadata.name,
    [`${prefix}freight-create-time`]: freight.discoveredAt ?? freight.metadata.creationTimestamp ?? "",
    [`${prefix}freight-warehouse-name`]: freight.origin.name,
  };
  if (freight.alias) annotations[`${prefix}freight-alias`] = freight.alias;
  for (const kind of ["commits", "images", "charts", "artifacts"] as const) {
    if (freight[kind]?.length) annotations[`${prefix}freight-${kind}`] = JSON.stringify(freight[kind]);
  }
  return annotations;
}
