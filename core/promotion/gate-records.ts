import type { GateResource, GateStatus } from "#core/promotion/gate-resource.ts";
import type { AnswerSource } from "#core/promotion/gate-source.ts";
import type { AuditEntry, EventRecord, Write } from "#core/store/store.ts";

/** Begins the annotations of events that tell of a gate. */
export const gateEventPrefix = "event.towpath.dev/gate-";

const told = {
  released: { reason: "GateReleased", what: "released", type: "Normal" },
  denied: { reason: "GateDenied", what: "denied", type: "Warning" },
  timedOut: { reason: "GateTimedOut", what: "timed out", type: "Warning" },
  approved: { reason: "GateApproved", what: "approved", type: "Normal" },
} as const;

/** What events and the audit log tell of an answer: who, when, from where and why. */
export function gateRecords(gate: GateResource, status: GateStatus, now: Date): Write[] {
  // A gate that was answered and is still open has one more approval.
  const last = status.state === undefined ? status.responses?.at(-1) : undefined;
  const { reason, what, type } = told[status.state ?? "approved"];
  const by = last?.user ?? status.by;
  const message = last?.message ?? status.message;
  const details = detailsOf(gate, last?.from ?? status.from);
  const common = { at: now.toISOString(), project: gate.metadata.namespace, regarding: regarding(gate) };
  const who = by === undefined ? "" : ` by ${by}`;
  const why = message === undefined ? "" : `: ${message}`;
  const event: EventRecord = {
    ...common,
    type,
    reason,
    message: `${nameOf(gate)} ${what}${who}${why}`,
    annotations: annotationsFrom({ ...details, by, message }),
  };
  const entry: AuditEntry = { ...common, action: reason, actor: by, message, details };
  return [
    { op: "event", event },
    { op: "audit", entry },
  ];
}

/** The event that tells that somebody is asked. */
export function gateOpened(gate: GateResource, now: Date): Write {
  const { metadata, spec } = gate;
  const event: EventRecord = {
    at: now.toISOString(),
    project: metadata.namespace,
    type: "Normal",
    reason: "GateOpened",
    message: `${nameOf(gate)} asks: ${spec.message}`,
    regarding: regarding(gate),
    annotations: annotationsFrom({ ...detailsOf(gate), "expires-at": spec.expiresAt }),
  };
  return { op: "event", event };
}

/** What is told of a link that somebody had made. The link itself is told to nobody else. */
export function gateLinkMade(
  gate: GateResource,
  link: {
    by: string;
    decision: string;
    id: string;
    madeFor?: string;
    expiresAt: Date;
    from: AnswerSource;
  },
  now: Date,
): Write[] {
  const details = {
    ...detailsOf(gate, { ...link.from, link: link.id, madeFor: link.madeFor }),
    decision: link.decision,
    "expires-at": link.expiresAt.toISOString(),
  };
  const common = { at: now.toISOString(), project: gate.metadata.namespace, regarding: regarding(gate) };
  const forWhom = link.madeFor === undefined ? "" : ` for ${link.madeFor}`;
  const message = `${link.by} made a link${forWhom} that can ${link.decision} ${nameOf(gate)}`;
  const event: EventRecord = { ...common, type: "Normal", reason: "GateLinkMade", message };
  return [
    { op: "event", event: { ...event, annotations: annotationsFrom({ ...details, by: link.by }) } },
    { op: "audit", entry: { ...common, action: event.reason, actor: link.by, details } },
  ];
}

function detailsOf({ spec }: GateResource, from?: Partial<AnswerSource>): Record<string, string> {
  const all = {
    stage: spec.stage,
    promotion: spec.promotion,
    step: spec.step,
    via: from?.via,
    address: from?.address,
    "user-agent": from?.userAgent,
    link: from?.link,
    "made-for": from?.madeFor,
    "by-step": from?.step,
  };
  return known(all);
}

function annotationsFrom(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(known(values)).map(([name, value]) => [`${gateEventPrefix}${name}`, value]),
  );
}

/** Without what is not known. */
function known(values: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Record<
    string,
    string
  >;
}

function regarding({ metadata: { namespace, name, uid } }: GateResource): EventRecord["regarding"] {
  return { kind: "Gate", project: namespace, name, uid };
}

function nameOf({ spec }: GateResource): string {
  return `Gate "${spec.step}" of Promotion "${spec.promotion}"`;
}
