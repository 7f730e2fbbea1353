import { UserError } from "#core/failure.ts";
import { parseDuration } from "#core/resources/duration.ts";
import { type Freight, originKey } from "#core/resources/freight.ts";
import type { FreightRequest, Stage } from "#core/resources/stage.ts";
import {
  isApprovedFor,
  isCurrentlyIn,
  isVerifiedIn,
  longestSoak,
  soakedAt,
} from "#core/stages/freight-status.ts";
import type { Store } from "#core/store/store.ts";

/**
 * Whether the stage may take the freight: it asks for freight of that origin, and takes it directly, was
 * given it by approval, or finds it verified and long enough in the upstream stages.
 */
export function isFreightAvailable(stage: Stage, freight: Freight, now: Date): boolean {
  if (stage.metadata.namespace !== freight.metadata.namespace) return false;
  const request = requestFor(stage, freight);
  if (request === undefined) return false;
  if (request.sources.direct || isApprovedFor(freight, stage.metadata.name)) return true;
  const { stages = [], availabilityStrategy } = request.sources;
  const soak = requiredSoak(request);
  const isGoodIn = (upstream: string) =>
    isVerifiedIn(freight, upstream) && longestSoak(freight, upstream, now) >= soak;
  return availabilityStrategy === "All" ? stages.every(isGoodIn) : stages.some(isGoodIn);
}

/** All freight of the origins that the stage requests. */
export async function listRequestedFreight(store: Store, { metadata, spec }: Stage): Promise<Freight[]> {
  const origins = [...new Set(spec.requestedFreight.map(({ origin }) => origin.name))];
  const where = { "origin.name": origins };
  return (await store.list({ kind: "Freight", project: metadata.namespace, where })) as Freight[];
}

/** The freight that the stage may take, for whatever reason, the oldest first. */
export async function listAvailableFreight(store: Store, stage: Stage, now: Date): Promise<Freight[]> {
  const freight = await listRequestedFreight(store, stage);
  return freight.filter((one) => isFreightAvailable(stage, one, now));
}

/**
 * The freight that auto-promotion chooses from: what is available, and of requests that follow their one
 * upstream stage only what this holds now. Throws a UserError when a Warehouse is missing.
 */
export async function listChoice(store: Store, stage: Stage, now: Date): Promise<Freight[]> {
  const { namespace: project, name: stageName } = stage.metadata;
  for (const { origin } of stage.spec.requestedFreight) {
    if ((await store.get({ kind: "Warehouse", project, name: origin.name })) !== undefined) continue;
    throw new UserError(
      `Warehouse "${origin.name}" not found in namespace "${project}": Stage "${stageName}" requests its freight`,
    );
  }
  return (await listAvailableFreight(store, stage, now)).filter((freight) => isFollowed(stage, freight));
}

/** When the next piece of this freight will have soaked long enough for the stage, as far as is known now. */
export function nextSoakEnd(stage: Stage, freight: readonly Freight[], now: Date): Date | undefined {
  let next: Date | undefined;
  for (const one of freight) {
    const request = requestFor(stage, one);
    const soak = request === undefined ? 0 : requiredSoak(request);
    if (soak === 0) continue;
    for (const upstream of request?.sources.stages ?? []) {
      const end = isVerifiedIn(one, upstream) ? soakedAt(one, upstream, soak) : undefined;
      if (end !== undefined && end > now && (next === undefined || end < next)) next = end;
    }
  }
  return next;
}

/** Stages that want freight from upstream wait for time to pass only when they require a soak time. */
export function waitsForSoak(stage: Stage): boolean {
  return stage.spec.requestedFreight.some((request) => requiredSoak(request) > 0);
}

/** A stage without steps: nothing is promoted to it, and freight passes it on. */
export function isControlFlow(stage: Stage): boolean {
  return (stage.spec.promotionTemplate?.spec.steps ?? []).length === 0;
}

export function followsUpstream({ sources }: FreightRequest): boolean {
  return sources.autoPromotionOptions?.selectionPolicy === "MatchUpstream";
}

function isFollowed(stage: Stage, freight: Freight): boolean {
  const request = requestFor(stage, freight);
  const [upstream] = request?.sources.stages ?? [];
  if (request === undefined || request.sources.direct || upstream === undefined) return true;
  return !followsUpstream(request) || isCurrentlyIn(freight, upstream);
}

function requestFor(stage: Stage, freight: Freight): FreightRequest | undefined {
  const wanted = originKey(freight.origin);
  return stage.spec.requestedFreight.find(({ origin }) => originKey(origin) === wanted);
}

function requiredSoak({ sources }: FreightRequest): number {
  return parseDuration(sources.requiredSoakTime ?? "0s") ?? 0;
}
