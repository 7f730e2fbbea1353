import { completeFreight, uniqueAlias } from "#core/artifacts/prepare-freight.ts";
import { eventPrefix, freightAnnotations } from "#core/promotion/events.ts";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import type { Freight, FreightReference } from "#core/resources/freight.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { WarehouseStatus } from "#core/resources/warehouse.ts";
import { type EventRecord, type Store, TakenError } from "#core/store/store.ts";

const actor = "controller:warehouse-controller";

export interface FreightWrite {
  warehouse: ResourceRef;
  /** The Warehouse's status once the freight is there. */
  status: WarehouseStatus;
  now: Date;
  /** For the alias. */
  random?: () => number;
}

const attempts = 5;

/**
 * Writes new freight, the event about it and the Warehouse's status: all of them or none. Where somebody
 * else takes its alias in the same moment, it gets another one.
 */
export async function writeFreight(
  store: Store,
  content: FreightReference,
  write: FreightWrite,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryToWrite(store, content, write);
    } catch (error) {
      if (!(error instanceof TakenError) || attempt === attempts) throw error;
    }
  }
}

async function tryToWrite(
  store: Store,
  { name, ...content }: FreightReference,
  { warehouse, status, now, random }: FreightWrite,
): Promise<void> {
  const { project } = warehouse;
  const freight = await completeFreight(
    store,
    {
      apiVersion: kargoV1alpha1,
      kind: "Freight",
      metadata: { name, ...(project === undefined ? {} : { namespace: project }) },
      ...content,
    },
    { now, ...(random === undefined ? {} : { random }) },
  );
  await store.write([
    { op: "create", resource: freight },
    uniqueAlias(refOf(freight)),
    { op: "event", event: freightCreated(freight, now) },
    { op: "status", ref: warehouse, status },
  ]);
}

function freightCreated(freight: Freight, at: Date): EventRecord {
  const project = freight.metadata.namespace;
  return {
    at: at.toISOString(),
    ...(project === undefined ? {} : { project }),
    type: "Normal",
    reason: "FreightCreated",
    message: "Freight created from discovered artifacts",
    regarding: refOf(freight),
    annotations: {
      ...freightAnnotations(freight),
      [`${eventPrefix}project`]: project ?? "",
      [`${eventPrefix}actor`]: actor,
    },
  };
}
