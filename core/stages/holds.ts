import { freightSetOf } from "#core/promotion/freight-set.ts";
import { type Freight, type FreightOrigin, originKey } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { AutoPromotionHold, Stage } from "#core/resources/stage.ts";
import { keys } from "#core/stages/keys.ts";

type Holds = Record<string, AutoPromotionHold>;

/**
 * What somebody's promotion of this freight (of all of it, as one) says about auto-promotion: promoting what it would
 * have chosen lets it go on, promoting anything else makes it rest for the origins. Annotations for the promotion; they
 * name the first origin, the promotion itself the others.
 */
export function holdAnnotations(
  freight: readonly Freight[],
  candidates: ReadonlyMap<string, Freight>,
): Record<string, string> {
  const isCandidate = freight.every(
    ({ metadata, origin }) => candidates.get(originKey(origin))?.metadata.name === metadata.name,
  );
  const [first] = freight;
  return first === undefined ? {} : { [isCandidate ? keys.resume : keys.hold]: originKey(first.origin) };
}

/** The holds after a promotion came to its end. Aborting a promotion takes back what it said. */
export function applyIntent(holds: Holds, promotion: Promotion, stage: Stage): Holds {
  if (promotion.status?.phase === "Aborted") return holds;
  const { [keys.hold]: held, [keys.resume]: resumed } = promotion.metadata.annotations ?? {};
  const set = freightSetOf(promotion) ?? {};
  const origin = requestedOrigin(stage, held);
  if (origin !== undefined) {
    const all = [origin, ...Object.keys(set).flatMap((key) => requestedOrigin(stage, key) ?? [])];
    return { ...holds, ...Object.fromEntries(all.map((one) => [originKey(one), toHold(promotion, one)])) };
  }
  if (held || !resumed) return holds;
  return Object.fromEntries(
    Object.entries(holds).filter(([key]) => key !== resumed && set[key] === undefined),
  );
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

function toHold(promotion: Promotion, origin: FreightOrigin): AutoPromotionHold {
  const { metadata, spec } = promotion;
  const actor = metadata.annotations?.[keys.createActor];
  return {
    freightName: freightSetOf(promotion)?.[originKey(origin)] ?? spec.freight ?? "",
    origin,
    promotionName: metadata.name,
    ...(actor ? { actor } : {}),
    ...(metadata.creationTimestamp ? { createdAt: metadata.creationTimestamp } : {}),
  };
}
