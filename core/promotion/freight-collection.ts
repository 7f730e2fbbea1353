import { createHash } from "node:crypto";
import {
  type Freight,
  type FreightCollection,
  type FreightReference,
  originKey,
} from "#core/resources/freight.ts";
import type { Stage } from "#core/resources/stage.ts";

/** Freight as promotions and stages carry it. */
export function toReference({
  metadata,
  origin,
  commits,
  images,
  charts,
  artifacts,
}: Freight): FreightReference {
  const contents = { commits, images, charts, artifacts };
  const present = Object.fromEntries(Object.entries(contents).filter(([, value]) => value !== undefined));
  return { name: metadata.name, origin, ...present };
}

/**
 * What the stage will hold when the promotion succeeds: the freight itself, what comes with it as one, and from every
 * other origin that the stage still requests what its last promotion brought.
 */
export function targetCollection(
  stage: Stage,
  freight: FreightReference,
  companions: readonly FreightReference[] = [],
): FreightCollection {
  const requested = stage.spec.requestedFreight;
  const inherited = stage.status?.lastPromotion?.status?.freightCollection?.items ?? {};
  const references: FreightReference[] = [];
  if (requested.length > 1) {
    for (const { origin } of requested) {
      const held = inherited[originKey(origin)];
      if (held !== undefined) references.push(held);
    }
  }
  return collect([...references, ...companions, freight]);
}

/** One piece of freight for each origin, the last one given. The id depends on the names of the freight alone. */
export function collect(references: readonly FreightReference[]): FreightCollection {
  const items = Object.fromEntries(references.map((reference) => [originKey(reference.origin), reference]));
  const names = Object.values(items).map(({ name }) => name);
  return { id: createHash("sha1").update(names.toSorted().join(",")).digest("hex"), items };
}

/** The freight of a collection in the order of its origins. */
export function referencesOf(collection: FreightCollection | undefined): FreightReference[] {
  return Object.entries(collection?.items ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, reference]) => reference);
}
