import { keys } from "#core/promotion/keys.ts";
import type { Promotion, PromotionStatus } from "#core/resources/promotion.ts";
import type { ObjectMeta } from "#core/resources/resource.ts";

export interface AbortRequest {
  /** Who wants it, as Kargo writes actors; absent when nobody is known. */
  actor?: string;
}

/** The actor of what the daemon does by itself. */
export const controllerActor = "controller:promotion-controller";

/**
 * The request to abort that the annotations carry, if they do: the word `terminate`, or a JSON object with
 * it as `action`. Other actions are none that we know and are ignored.
 */
export function abortRequest({ annotations }: Pick<ObjectMeta, "annotations">): AbortRequest | undefined {
  const value = annotations?.[keys.abort];
  if (value === undefined) return undefined;
  const { action, actor } = parseRequest(value);
  if (action !== "terminate") return undefined;
  return typeof actor === "string" && actor !== "" ? { actor } : {};
}

/** The value of the annotation that asks for an abort. */
export function abortAnnotation(actor: string | undefined): string {
  return JSON.stringify({
    action: "terminate",
    ...(actor === undefined ? {} : { actor }),
    controlPlane: false,
  });
}

function parseRequest(value: string): { action?: unknown; actor?: unknown } {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null ? parsed : {};
  } catch {
    return { action: value };
  }
}

/** The status of a promotion that somebody ended: a step that was under way ends with it. */
export function abortedStatus(promotion: Promotion, { actor }: AbortRequest, now: Date): PromotionStatus {
  const finishedAt = now.toISOString();
  const status: PromotionStatus = structuredClone(promotion.status ?? {});
  for (const record of status.stepExecutionMetadata ?? []) {
    if (record.startedAt === undefined || record.finishedAt !== undefined) continue;
    record.status = "Aborted";
    record.finishedAt = finishedAt;
  }
  return {
    ...status,
    phase: "Aborted",
    message: `Promotion terminated by ${actor ?? controllerActor}`,
    finishedAt,
  };
}
