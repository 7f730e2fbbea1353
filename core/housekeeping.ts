import { deleteOldFreight } from "#core/artifacts/freight-retention.ts";
import type { Environment } from "#core/environment.ts";
import { deleteOldPromotions } from "#core/promotion/promotion-retention.ts";
import { refOf } from "#core/resources/resource.ts";
import { type Retention, retentionFrom } from "#core/retention.ts";
import type { Store } from "#core/store/store.ts";

export interface HousekeepingSettings {
  /** Of each Warehouse. */
  freight: Retention;
  /** Of each stage. */
  promotions: Retention;
}

/** From Kargo's variables MAX_RETAINED_FREIGHT, MIN_FREIGHT_DELETION_AGE and their like. Throws a UserError. */
export function housekeepingSettingsFrom(env: Environment): HousekeepingSettings {
  return {
    freight: retentionFrom(env, { max: "MAX_RETAINED_FREIGHT", age: "MIN_FREIGHT_DELETION_AGE" }),
    promotions: retentionFrom(env, { max: "MAX_RETAINED_PROMOTIONS", age: "MIN_PROMOTION_DELETION_AGE" }),
  };
}

export interface HousekeepingServices extends HousekeepingSettings {
  store: Store;
  now(): Date;
  /** Deletes what of the daemon's caches nobody used for long. */
  pruneCaches(): Promise<void>;
  /** Hears of what could not be deleted; the rest is deleted all the same. */
  onError(error: unknown): void;
}

const firstMs = 60_000;
const everyMs = 60 * 60_000;

/** Deletes what is older than it is to be kept: soon after the start, then once an hour. Returns what ends it. */
export function startHousekeeping(services: HousekeepingServices): () => void {
  let isStopped = false;
  let timer = setTimeout(work, firstMs).unref();

  async function work(): Promise<void> {
    await keepHouse(services, () => isStopped);
    if (!isStopped) timer = setTimeout(work, everyMs).unref();
  }

  return () => {
    isStopped = true;
    clearTimeout(timer);
  };
}

/** Goes through all stages and Warehouses once: promotions first, since they keep freight in use. */
export async function keepHouse(
  { store, freight, promotions, now, pruneCaches, onError }: HousekeepingServices,
  isStopped: () => boolean = () => false,
): Promise<void> {
  const clean = async (kind: string, work: (ref: ReturnType<typeof refOf>) => Promise<unknown>) => {
    for (const resource of await store.list({ kind })) {
      if (isStopped()) return;
      await work(refOf(resource)).catch(onError);
    }
  };
  try {
    await clean("Stage", (stage) => deleteOldPromotions(store, stage, promotions, now()));
    await clean("Warehouse", (warehouse) => deleteOldFreight(store, warehouse, freight, now()));
    await pruneCaches();
  } catch (error) {
    onError(error);
  }
}
