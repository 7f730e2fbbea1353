import type { EventRecord, Write } from "#core/store/store.ts";

/** An event that tells what somebody decided, and the same in the audit log, which outlasts events. */
export function audited(event: EventRecord, { actor, why }: { actor: string; why?: string }): Write[] {
  const { at, project, reason, regarding } = event;
  return [
    { op: "event", event },
    { op: "audit", entry: { at, project, action: reason, actor, regarding, message: why } },
  ];
}
