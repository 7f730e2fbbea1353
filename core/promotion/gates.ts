import { UserError } from "#core/failure.ts";
import {
  type GateOwner,
  type GateResource,
  gateRef,
  isExpired,
  newGate,
  toAnswer,
} from "#core/promotion/gate-resource.ts";
import { keys } from "#core/promotion/keys.ts";
import { refOf } from "#core/resources/resource.ts";
import type { GateAnswer, GateRequest } from "#core/step.ts";
import { AlreadyExistsError, ConflictError, type Store, type Write } from "#core/store/store.ts";

/** A gate as people see it. */
export interface Gate {
  project: string;
  stage: string;
  promotion: string;
  step: string;
  message: string;
  state: "open" | "released" | "denied" | "timedOut";
  /** RFC 3339. */
  openedAt?: string;
  expiresAt?: string;
  by?: string;
  at?: string;
  /** What whoever answered had to say. */
  answer?: string;
}

export interface GateDecision {
  project: string;
  promotion: string;
  step: string;
  decision: "released" | "denied";
  /** Who decides, as Kargo writes actors. */
  by: string;
  message?: string;
}

export interface Gates {
  /** Gates that are open now, the oldest first. */
  list(project?: string): Promise<Gate[]>;
  get(project: string, promotion: string, step: string): Promise<Gate | undefined>;
  /**
   * The first decision wins: `decided` is false when it was not this one, and `gate` says how it stands.
   * Throws a UserError when there is no such gate.
   */
  decide(decision: GateDecision): Promise<{ decided: boolean; gate: Gate }>;
}

/** The gates of the store's promotions. A decision wakes the promotion that waits for it. */
export function createGates(store: Store, now: () => Date): Gates {
  return {
    async list(project) {
      const found = await store.list({ kind: "Gate", project, where: { "status.state": [null] } });
      return found.map((gate) => toGate(gate as GateResource)).filter((gate) => !isExpired(gate, now()));
    },
    async get(project, promotion, step) {
      const found = await store.get(gateRef(project, promotion, step));
      return found === undefined ? undefined : toGate(found as GateResource);
    },
    decide: (decision) => decideGate(store, decision, now()),
  };
}

/** Records a decision about a gate, unless there is one already. */
export async function decideGate(
  store: Store,
  { project, promotion, step, decision, by, message }: GateDecision,
  now: Date,
): Promise<{ decided: boolean; gate: Gate }> {
  const ref = gateRef(project, promotion, step);
  const gate = (await store.get(ref)) as GateResource | undefined;
  if (gate === undefined) {
    throw new UserError(
      `Cannot answer gate "${step}" of Promotion "${project}/${promotion}": there is none open`,
      { status: 404, hint: "`towpath gates` lists the gates that are open." },
    );
  }
  const answered = await answer(store, gate, now, {
    state: decision,
    by,
    at: now.toISOString(),
    ...(message ? { message } : {}),
  });
  return { decided: answered.won, gate: toGate(answered.gate) };
}

/** Opens the gate of a step, or tells how it stands; asking again changes nothing. */
export async function askGate(
  store: Store,
  owner: GateOwner,
  request: GateRequest,
  now: Date,
): Promise<GateAnswer> {
  const gate = await findOrOpen(store, owner, request);
  if (gate.status === undefined && isExpired(gate.spec, now)) {
    const { gate: answered } = await answer(store, gate, now, { state: "timedOut", at: now.toISOString() });
    return toAnswer(answered);
  }
  return toAnswer(gate);
}

/** What removes the gates that nobody can answer any more, since their promotion is over. */
export async function gateRemovals(store: Store, project: string, promotionUid: string): Promise<Write[]> {
  const gates = await store.list({ kind: "Gate", project, labels: { [keys.promotionUid]: promotionUid } });
  return gates
    .filter((gate) => gate.status === undefined)
    .map((gate) => ({ op: "delete", ref: refOf(gate) }));
}

async function findOrOpen(store: Store, owner: GateOwner, request: GateRequest): Promise<GateResource> {
  const ref = gateRef(owner.project, owner.promotion, owner.alias);
  const found = await store.get(ref);
  if (found !== undefined) return found as GateResource;
  try {
    const [created] = await store.write([{ op: "create", resource: newGate(owner, request) }]);
    return created as GateResource;
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    return (await store.get(ref)) as GateResource;
  }
}

type Answered = NonNullable<GateResource["status"]>;

/**
 * Writes the answer if the gate is open as it was read. Whoever comes second finds it changed and is told
 * what the first one said. An answer after the gate's time is up is the time-out's.
 */
async function answer(
  store: Store,
  gate: GateResource,
  now: Date,
  wanted: Answered,
): Promise<{ won: boolean; gate: GateResource }> {
  if (gate.status !== undefined) return { won: false, gate };
  const late = isExpired(gate.spec, now) && wanted.state !== "timedOut";
  const status: Answered = late ? { state: "timedOut", at: now.toISOString() } : wanted;
  const { namespace = "", name, resourceVersion } = gate.metadata;
  const ref = { kind: "Gate", project: namespace, name };
  try {
    const [written] = await store.write([
      { op: "status", ref, status, resourceVersion },
      { op: "event", event: gateEvent(gate, status) },
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
    return answer(store, current, now, wanted);
  }
}

function gateEvent(gate: GateResource, { state, by, at, message }: Answered) {
  const { namespace, name, uid } = gate.metadata;
  const what = { released: "released", denied: "denied", timedOut: "timed out" }[state];
  const who = by === undefined ? "" : ` by ${by}`;
  const why = message === undefined ? "" : `: ${message}`;
  return {
    at,
    project: namespace,
    type: state === "released" ? "Normal" : "Warning",
    reason: { released: "GateReleased", denied: "GateDenied", timedOut: "GateTimedOut" }[state],
    message: `Gate "${gate.spec.step}" of Promotion "${gate.spec.promotion}" ${what}${who}${why}`,
    regarding: { kind: "Gate", project: namespace, name, uid },
  } as const;
}

function toGate({ metadata, spec, status }: GateResource): Gate {
  return {
    project: metadata.namespace ?? "",
    stage: spec.stage,
    promotion: spec.promotion,
    step: spec.step,
    message: spec.message,
    state: status?.state ?? "open",
    openedAt: metadata.creationTimestamp,
    expiresAt: spec.expiresAt,
    by: status?.by,
    at: status?.at,
    answer: status?.message,
  };
}
