import { UserError } from "#core/failure.ts";
import type { GateAnswer, GateQuestion, GateRequest, GateResponse } from "#core/gate.ts";
import { gateOpened } from "#core/promotion/gate-records.ts";
import {
  type GateOwner,
  type GateResource,
  gateRef,
  isExpired,
  isOpen,
  newGate,
  responsesOf,
  toAnswer,
} from "#core/promotion/gate-resource.ts";
import {
  type Approval,
  nextByApproval,
  nextByInput,
  type Submission,
} from "#core/promotion/gate-responses.ts";
import { settleGate } from "#core/promotion/gate-settle.ts";
import type { AnswerSource } from "#core/promotion/gate-source.ts";
import { keys } from "#core/promotion/keys.ts";
import { refOf } from "#core/resources/resource.ts";
import { AlreadyExistsError, type Store, type Write } from "#core/store/store.ts";

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
  /** Through what it was decided, and from which address. */
  via?: AnswerSource["via"];
  address?: string;
  /** What it takes, where that is more than a yes or no. */
  asks?: GateQuestion;
  /** Approvals and rejections so far, in the order in which they came. */
  responses?: GateResponse[];
}

export interface GateDecision extends GateAddress {
  decision: "released" | "denied";
  /** Who decides, as Kargo writes actors. */
  by: string;
  message?: string;
  from?: AnswerSource;
}

export interface Gates {
  /** Gates that are open now, the oldest first. */
  list(project?: string): Promise<Gate[]>;
  get(project: string, promotion: string, step: string): Promise<Gate | undefined>;
  /** The gate as it is stored. */
  find(address: GateAddress): Promise<GateResource | undefined>;
  /**
   * The first decision wins: `decided` is false when it was not this one, and `gate` says how it stands.
   * Throws a UserError when there is no such gate.
   */
  decide(decision: GateDecision): Promise<{ decided: boolean; gate: Gate }>;
  /**
   * One person's response to a gate that asks for approvals or for input. `decided` is false when the gate had
   * been decided before. Throws a UserError when the response is not allowed or does not fit.
   */
  respond(response: GateAddress & (Approval | Submission)): Promise<{ decided: boolean; gate: Gate }>;
}

export interface GateAddress {
  project: string;
  promotion: string;
  step: string;
  /** Where it is given, a gate of another promotion that has the same name is not meant. */
  promotionUid?: string;
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
    find: (address) => findGate(store, address),
    decide: (decision) => decideGate(store, decision, now()),
    respond: (response) => respondToGate(store, response, now()),
  };
}

/** Records a decision about a gate, unless there is one already. */
export async function decideGate(
  store: Store,
  { decision, by, message, from, ...address }: GateDecision,
  now: Date,
): Promise<{ decided: boolean; gate: Gate }> {
  const gate = await getGate(store, address);
  if (gate.spec.asks !== undefined) {
    throw new UserError(`Cannot decide gate "${address.step}": it asks for ${wanted[gate.spec.asks.kind]}`, {
      status: 400,
      hint: "respond to it: `towpath release`, its page, or POST …/respond",
    });
  }
  const at = now.toISOString();
  const settled = await settleGate(store, gate, now, () => ({
    state: decision,
    by,
    at,
    ...(message ? { message } : {}),
    ...(from ? { from } : {}),
  }));
  return { decided: settled.won, gate: toGate(settled.gate) };
}

const wanted: Record<GateQuestion["kind"], string> = { approval: "approvals", input: "input" };

async function respondToGate(
  store: Store,
  { project, promotion, step, promotionUid, ...response }: GateAddress & (Approval | Submission),
  now: Date,
): Promise<{ decided: boolean; gate: Gate }> {
  const gate = await getGate(store, { project, promotion, step, promotionUid });
  const settled = await settleGate(store, gate, now, (current) =>
    "values" in response ? nextByInput(current, response, now) : nextByApproval(current, response, now),
  );
  return { decided: settled.won, gate: toGate(settled.gate) };
}

async function findGate(
  store: Store,
  { project, promotion, step, promotionUid }: GateAddress,
): Promise<GateResource | undefined> {
  const gate = (await store.get(gateRef(project, promotion, step))) as GateResource | undefined;
  const isMeant = promotionUid === undefined || gate?.spec.promotionUid === promotionUid;
  return isMeant ? gate : undefined;
}

async function getGate(store: Store, address: GateAddress): Promise<GateResource> {
  const gate = await findGate(store, address);
  if (gate !== undefined) return gate;
  throw new UserError(
    `Cannot answer gate "${address.step}" of Promotion "${address.project}/${address.promotion}": there is none open`,
    { status: 404, hint: "`towpath gates` lists the gates that are open." },
  );
}

/** Opens the gate of a step, or tells how it stands; asking again changes nothing. */
export async function askGate(
  store: Store,
  owner: GateOwner,
  request: GateRequest,
  now: Date,
): Promise<GateAnswer> {
  const gate = await findOrOpen(store, owner, request, now);
  if (isOpen(gate) && isExpired(gate.spec, now)) {
    const timedOut = { state: "timedOut", at: now.toISOString() } as const;
    return toAnswer((await settleGate(store, gate, now, () => timedOut)).gate);
  }
  const { verdict } = request;
  if (verdict !== undefined) {
    const { decision, by, message } = verdict;
    const words = message === undefined ? {} : { message };
    const from = { via: "command" } as const;
    const status = { state: decision, by, at: now.toISOString(), ...words, from };
    return toAnswer(
      (await settleGate(store, gate, now, (current) => ({ ...current.status, ...status }))).gate,
    );
  }
  return toAnswer(gate);
}

/** What removes the gates that nobody can answer any more, since their promotion is over. */
export async function gateRemovals(store: Store, project: string, promotionUid: string): Promise<Write[]> {
  const gates = await store.list({ kind: "Gate", project, labels: { [keys.promotionUid]: promotionUid } });
  return gates
    .filter((gate) => isOpen(gate as GateResource))
    .map((gate) => ({ op: "delete", ref: refOf(gate) }));
}

async function findOrOpen(
  store: Store,
  owner: GateOwner,
  request: GateRequest,
  now: Date,
): Promise<GateResource> {
  const ref = gateRef(owner.project, owner.promotion, owner.alias);
  const found = await store.get(ref);
  if (found !== undefined) return found as GateResource;
  try {
    const gate = newGate(owner, request);
    const [created] = await store.write([{ op: "create", resource: gate }, gateOpened(gate, now)]);
    return created as GateResource;
  } catch (error) {
    if (!(error instanceof AlreadyExistsError)) throw error;
    return (await store.get(ref)) as GateResource;
  }
}

export function toGate({ metadata, spec, status }: GateResource): Gate {
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
    via: status?.from?.via,
    address: status?.from?.address,
    asks: spec.asks,
    responses: status && responsesOf(status),
  };
}
