import { type Freight, type FreightOrigin, originKey } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { AutoPromotionHold, Stage } from "#core/resources/stage.ts";
import { keys } from "#core/stages/keys.ts";

type Holds = Record<string, AutoPromotionHold>;

/**
 * What somebody's promotion of this freight says about auto-promotion: promoting what it would have chosen
 * lets it go on, promoting anything else makes it rest for that origin. Annotations for the promotion.
 */
export function holdAnnotations(
  freight: Freight,
  candidates: ReadonlyMap<string, Freight>,
): Record<string, string> {
  const origin = originKey(freight.origin);
  const isCandidate = candidates.get(origin)?.metadata.name === freight.metadata.name;
  return { [isCandidate ? keys.resume : keys.hold]: origin };
}

/** The holds after a promotion came to its end. Aborting a promotion takes back what it said. */
export function applyIntent(holds: Holds, promotion: Promotion, stage: Stage): Holds {
  if (promotion.status?.phase === "Aborted") return holds;
  const { [keys.hold]: held, [keys.resume]: resumed } = promotion.metadata.annotations ?? {};
  const origin = requestedOrigin(stage, held);
  if (origin !== undefined) return { ...holds, [originKey(origin)]: toHold(promotion, origin) };
  if (held || !resumed) return holds;
  const { [resumed]: _, ...others } = holds;
  return others;
}

/** Without those of origins that the stage no longer asks for. */
export function requestedHolds(holds: Holds, stage: Stage): Holds {
  return Object.fromEntries(Object.entries(holds).filter(([origin]) => requestedOrigin(stage, origin)));
}

/**
 * The holds as they will be once the promotions that are queued or under way are over: for each origin the
 * newest of them decides.
 */
export function effectiveHolds(stage: Stage, unrecorded: readonly Promotion[]): Holds {
  const inOrder = [...unrecorded].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return inOrder.reduce<Holds>(
    (holds, promotion) => applyIntent(holds, promotion, stage),
    stage.status?.autoPromotionHolds ?? {},
  );
}

function requestedOrigin(stage: Stage, origin: string | undefined): FreightOrigin | undefined {
  return stage.spec.requestedFreight
    .map((request) => request.origin)
    .find((one) => originKey(one) === origin);
}

function toHold({ metadata, spec }: Promotion, origin: FreightOrigin): AutoPromotionHold {
  const actor = metadata.annotations?.[keys.createActor];
  return {
    freightName: spec.freight ?? "",
    origin,
    promotionName: metadata.name,
    ...(actor ? { actor } : {}),
    ...(metadata.creationTimestamp ? { createdAt: metadata.creationTimestamp } : {}),
  };
}
