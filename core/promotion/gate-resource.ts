import { createHash } from "node:crypto";
import type { GateAnswer, GateLinkRequest, GateQuestion, GateRequest, GateResponse } from "#core/gate.ts";
import type { AnswerSource } from "#core/promotion/gate-source.ts";
import { keys } from "#core/promotion/keys.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";

/** A gate as the store keeps it: the step's question in the spec, how it was answered in the status. */
export interface GateResource extends Resource {
  apiVersion: "towpath.dev/v1alpha1";
  kind: "Gate";
  spec: {
    promotion: string;
    promotionUid: string;
    stage: string;
    /** The alias of the step. */
    step: string;
    message: string;
    expiresAt?: string;
    asks?: GateQuestion;
    /** Whoever is told that the gate is open may be given links that decide it. */
    links?: GateLinkRequest;
  };
  status?: GateStatus;
}

export interface GateStatus {
  /** Absent while the gate is open. */
  state?: "released" | "denied" | "timedOut";
  by?: string;
  /** When the gate was decided. */
  at?: string;
  message?: string;
  /** How the answer that decided it came. */
  from?: AnswerSource;
  responses?: RecordedResponse[];
  values?: Record<string, unknown>;
}

/** A response, how it came, and which of the gate's rules let it through: people may lose a role later. */
export interface RecordedResponse extends GateResponse {
  rules: number[];
  from?: AnswerSource;
}

/** The step whose gate it is. */
export interface GateOwner {
  project: string;
  stage: string;
  promotion: string;
  promotionUid: string;
  alias: string;
}

export function newGate(owner: GateOwner, { message, expiresAt, asks, links }: GateRequest): GateResource {
  const { name } = gateRef(owner.project, owner.promotion, owner.alias);
  return {
    apiVersion: "towpath.dev/v1alpha1",
    kind: "Gate",
    metadata: { name, namespace: owner.project, labels: { [keys.promotionUid]: owner.promotionUid } },
    spec: {
      promotion: owner.promotion,
      promotionUid: owner.promotionUid,
      stage: owner.stage,
      step: owner.alias,
      message,
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(asks === undefined ? {} : { asks }),
      ...(links === undefined ? {} : { links }),
    },
  };
}

/** One gate for each step of a promotion, under a name that people can tell it by. */
export function gateRef(project: string, promotion: string, alias: string): ResourceRef {
  const slug = alias
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  const plain = `${promotion}.${slug}`;
  if (slug === alias && plain.length <= 253) return { kind: "Gate", project, name: plain };
  const hash = createHash("sha256").update(`${promotion}/${alias}`).digest("hex").slice(0, 8);
  return { kind: "Gate", project, name: `${plain.slice(0, 244).replace(/[.-]+$/, "")}-${hash}` };
}

export function isExpired({ expiresAt }: { expiresAt?: string }, now: Date): boolean {
  return expiresAt !== undefined && Date.parse(expiresAt) <= now.getTime();
}

export function isOpen({ status }: GateResource): boolean {
  return status?.state === undefined;
}

/** The gate's state as its step learns of it. */
export function toAnswer({ status = {} }: GateResource): GateAnswer {
  const { state, by = "", at = "", message, values, from } = status;
  const responses = responsesOf(status);
  if (state === undefined) return { state: "open", ...(responses && { responses }) };
  if (state === "timedOut") return { state, at };
  return {
    state,
    by,
    at,
    ...(message === undefined ? {} : { message }),
    ...(responses && { responses }),
    ...(values && { values }),
    ...(from && { via: from.via }),
    ...(from?.address && { address: from.address }),
  };
}

/** The responses as people see them. */
export function responsesOf({ responses }: GateStatus): GateResponse[] | undefined {
  return responses?.map(({ rules: _, from: __, ...response }) => response);
}
