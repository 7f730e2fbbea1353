import { gateRecords } from "#core/promotion/gate-records.ts";
import { type GateResource, type GateStatus, isExpired, isOpen } from "#core/promotion/gate-resource.ts";
import { ConflictError, type Store } from "#core/store/store.ts";

/**
 * Writes what `next` makes of the gate if it is open as it was read. Whoever comes second finds it changed:
 * `next` is asked again, or told (by `won: false`) what the first one said. An answer after the gate's time
 * is up is the time-out's.
 */
export async function settleGate(
  store: Store,
  gate: GateResource,
  now: Date,
  next: (gate: GateResource) => GateStatus,
): Promise<{ won: boolean; gate: GateResource }> {
  if (!isOpen(gate)) return { won: false, gate };
  const late = isExpired(gate.spec, now);
  const status: GateStatus = late ? { ...gate.status, state: "timedOut", at: now.toISOString() } : next(gate);
  const { namespace = "", name, resourceVersion } = gate.metadata;
  const ref = { kind: "Gate", project: namespace, name };
  try {
    const [written] = await store.write([
      { op: "status", ref, status, resourceVersion },
      ...gateRecords(gate, status, now),
      {
        op: "due",
        key: { kind: "Promotion", project: namespace, name: gate.spec.promotion },
        at: now.getTime(),
      },
    ]);
    return { won: !late, gate: written as GateResource };
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const current = (await store.get(ref)) as GateResource | undefined;
    if (current === undefined) throw error;
    return settleGate(store, current, now, next);
  }
}
