import { formatRef, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { ResourceChange } from "#core/store/store.ts";

/** Knows which changes are news for which Warehouses, and which of these have been failing. */
export interface WarehouseWakeUps {
  enqueueFor(change: ResourceChange): ResourceRef[];
  /** Returns how often it has failed in a row. */
  failed(warehouse: ResourceRef): number;
  succeeded(warehouse: ResourceRef): void;
}

const refreshAnnotation = "kargo.akuity.io/refresh";
const credentialLabel = "kargo.akuity.io/cred-type";

export function createWarehouseWakeUps(): WarehouseWakeUps {
  /** What was last asked of each Warehouse; its own status is no news. */
  const seen = new Map<string, string>();
  const failing = new Map<string, { ref: ResourceRef; count: number }>();

  function isNews({ type, resource }: ResourceChange): boolean {
    const key = formatRef(refOf(resource));
    if (type === "DELETED") {
      seen.delete(key);
      failing.delete(key);
      return false;
    }
    const { generation, annotations } = resource.metadata;
    const asked = JSON.stringify([generation, annotations?.[refreshAnnotation]]);
    if (seen.get(key) === asked) return false;
    seen.set(key, asked);
    return true;
  }

  return {
    enqueueFor(change) {
      const { resource } = change;
      if (resource.kind === "Warehouse") return isNews(change) ? [refOf(resource)] : [];
      // Credentials that were changed may be those that were wrong.
      const isCredential =
        resource.kind === "Secret" && resource.metadata.labels?.[credentialLabel] !== undefined;
      return isCredential ? [...failing.values()].map(({ ref }) => ref) : [];
    },
    failed(ref) {
      const count = (failing.get(formatRef(ref))?.count ?? 0) + 1;
      failing.set(formatRef(ref), { ref, count });
      return count;
    },
    succeeded(ref) {
      failing.delete(formatRef(ref));
    },
  };
}
