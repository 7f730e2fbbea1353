import { UserError } from "#core/failure.ts";
import { isFinished } from "#core/promotion/final-phase.ts";
import { referencesOf } from "#core/promotion/freight-collection.ts";
import { freightSetKey, freightSetText } from "#core/promotion/freight-set.ts";
import { type Freight, originKey } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Stage } from "#core/resources/stage.ts";
import { isFreightAvailable } from "#core/stages/availability.ts";
import { keys } from "#core/stages/keys.ts";
import type { Store } from "#core/store/store.ts";

/** Freight that is to be promoted as one, as it was verified together. */
export interface Combination {
  /** In the order of their origins; the first stands for all where there is room for one. */
  freight: readonly Freight[];
  /** What marks a promotion as one of all of them. */
  annotations: Record<string, string>;
}

/** Whether auto-promotion takes what the stage's one upstream stage holds, all of it as one. */
export function followsCombination({ metadata }: Stage): boolean {
  return metadata.annotations?.[keys.autoPromotion] === "combination";
}

/** The stage that all requests of the stage name, and no other. */
export function commonUpstream({ spec }: Stage): string | undefined {
  const named = new Set(
    spec.requestedFreight.flatMap(({ sources }) => (sources.direct ? [""] : (sources.stages ?? [""]))),
  );
  const [only] = named;
  return named.size === 1 && only ? only : undefined;
}

/**
 * What the upstream stage holds, as far as the stage requests it. Throws a UserError when it was not verified there as
 * it is, or the stage may not take all of it.
 */
export async function combinationFrom(
  store: Store,
  stage: Stage,
  upstream: Stage,
  now: Date,
): Promise<Combination> {
  const name = `Stage "${upstream.metadata.name}"`;
  const [held] = upstream.status?.freightHistory ?? [];
  const requested = new Set(stage.spec.requestedFreight.map(({ origin }) => originKey(origin)));
  const references = referencesOf(held).filter(({ origin }) => requested.has(originKey(origin)));
  if (references.length === 0) {
    throw new UserError(`${name} holds no freight that Stage "${stage.metadata.name}" requests`);
  }
  if (held?.verificationHistory?.[0]?.phase !== "Successful") {
    throw new UserError(`What ${name} holds is not verified there as it is`, {
      hint: "It can be promoted as one once its verification has succeeded",
    });
  }
  const freight: Freight[] = [];
  for (const reference of references) {
    const ref = { kind: "Freight", project: stage.metadata.namespace, name: reference.name };
    const piece = (await store.get(ref)) as Freight | undefined;
    if (piece === undefined || !isFreightAvailable(stage, piece, now)) {
      throw new UserError(`Freight "${reference.name}" is not available to Stage "${stage.metadata.name}"`);
    }
    freight.push(piece);
  }
  return { freight, annotations: freight.length === 1 ? {} : { [freightSetKey]: setTextOf(freight) } };
}

/** The same for auto-promotion, which waits where there is nothing to promote yet. */
export async function findCombination(
  store: Store,
  stage: Stage,
  upstream: Stage | undefined,
  now: Date,
): Promise<Combination | undefined> {
  if (upstream === undefined) return undefined;
  try {
    return await combinationFrom(store, stage, upstream, now);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** What auto-promotion would choose, by origin, where it takes a combination. */
export async function combinationCandidates(
  store: Store,
  stage: Stage,
  now: Date,
): Promise<Map<string, Freight>> {
  const ref = { kind: "Stage", project: stage.metadata.namespace, name: commonUpstream(stage) ?? "" };
  const found = await findCombination(store, stage, (await store.get(ref)) as Stage | undefined, now);
  return new Map(found?.freight.map((freight) => [originKey(freight.origin), freight]));
}

/** Whether the stage holds all of it already. */
export function holdsAll({ status }: Stage, { freight }: Combination): boolean {
  const items = status?.freightHistory?.[0]?.items ?? {};
  return freight.every(({ metadata, origin }) => items[originKey(origin)]?.name === metadata.name);
}

/** Whether the promotion is one of exactly this. */
export function isOf({ metadata, spec }: Promotion, { freight, annotations }: Combination): boolean {
  return (
    spec.freight === freight[0]?.metadata.name &&
    metadata.annotations?.[freightSetKey] === annotations[freightSetKey]
  );
}

/** Not while it is on its way, and not when it failed the last time: it would fail again for ever. */
export function mayTryAgain(stage: Stage, own: readonly Promotion[]): boolean {
  const last = stage.status?.lastPromotion?.name ?? "";
  const isUnrecorded = ({ metadata, status }: Promotion) =>
    !isFinished(status?.phase) || (status?.phase === "Succeeded" && metadata.name > last);
  const newest = own.at(-1);
  return !own.some(isUnrecorded) && (newest === undefined || newest.status?.phase === "Succeeded");
}

function setTextOf(freight: readonly Freight[]): string {
  return freightSetText(
    Object.fromEntries(freight.map(({ metadata, origin }) => [originKey(origin), metadata.name])),
  );
}
