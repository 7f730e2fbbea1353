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
      { op: "event", event: gateEvent(gate, status, now) },
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

const told = {
  released: { reason: "GateReleased", what: "released", type: "Normal" },
  denied: { reason: "GateDenied", what: "denied", type: "Warning" },
  timedOut: { reason: "GateTimedOut", what: "timed out", type: "Warning" },
  approved: { reason: "GateApproved", what: "approved", type: "Normal" },
} as const;

/** A gate that was answered and is still open has one more approval. */
function gateEvent(gate: GateResource, status: GateStatus, now: Date) {
  const { namespace, name, uid } = gate.metadata;
  const last = status.state === undefined ? status.responses?.at(-1) : undefined;
  const { reason, what, type } = told[status.state ?? "approved"];
  const by = last?.user ?? status.by;
  const message = last?.message ?? status.message;
  const who = by === undefined ? "" : ` by ${by}`;
  const why = message === undefined ? "" : `: ${message}`;
  return {
    at: now.toISOString(),
    project: namespace,
    type,
    reason,
    message: `Gate "${gate.spec.step}" of Promotion "${gate.spec.promotion}" ${what}${who}${why}`,
    regarding: { kind: "Gate", project: namespace, name, uid },
  } as const;
}
