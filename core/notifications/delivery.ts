import type { RenderedMessage } from "#core/notifications/render.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";

/** A message on its way, kept until the channel has it or it is given up. */
export interface Delivery extends Resource {
  apiVersion: "towpath.dev/v1alpha1";
  kind: "MessageDelivery";
  spec: RenderedMessage & {
    router: string;
    event: { id: number; type: string; at: string; regarding: ResourceRef };
  };
  status?: {
    attempts: number;
    /** Masked. */
    lastFailure: string;
    nextAttemptAt: string;
  };
}

const channelLabel = "towpath.dev/channel";
const firstPauseSeconds = 10;
const longestPauseSeconds = 3600;
/** About nine hours of trying. */
const mostAttempts = 18;

/** Which of the queue's messages are for a channel. */
export function labelsOf({ kind, name }: RenderedMessage["channel"]): Record<string, string> {
  return { [channelLabel]: `${kind}.${name}` };
}

/** The name is the same for the same event, router and channel. */
export function newDelivery(
  project: string,
  message: RenderedMessage,
  { router, index, event }: { router: string; index: number; event: Delivery["spec"]["event"] },
): Delivery {
  return {
    apiVersion: "towpath.dev/v1alpha1",
    kind: "MessageDelivery",
    metadata: {
      name: `${event.id}.${index}.${router}`,
      namespace: project,
      labels: labelsOf(message.channel),
    },
    spec: { ...message, router, event },
  };
}

/** When a message that failed so often is tried again; undefined when it is given up. */
export function nextPauseSeconds(attempts: number, wantedSeconds = 0): number | undefined {
  if (attempts >= mostAttempts) return undefined;
  const pause = Math.min(longestPauseSeconds, firstPauseSeconds * 2 ** (attempts - 1));
  return Math.max(pause, Math.min(wantedSeconds, longestPauseSeconds));
}
