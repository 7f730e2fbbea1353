import type { Masker } from "#core/credentials/masker.ts";
import type { KeyedLock } from "#core/keyed-lock.ts";
import { DeliveryFailure } from "#core/notifications/channels/channel.ts";
import { type Delivery, nextPauseSeconds } from "#core/notifications/delivery.ts";
import { decode } from "#core/notifications/encoding.ts";
import { withLinks } from "#core/notifications/link-placeholders.ts";
import { channelRef, type Sender } from "#core/notifications/sender.ts";
import type { GateLinks } from "#core/promotion/gate-links.ts";
import type { MessageChannelStatus } from "#core/resources/message-channel.ts";
import { type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import { retryConflicts } from "#core/store/retry-conflicts.ts";
import type { EventRecord, Store, Write } from "#core/store/store.ts";

/** As many threads of a channel are remembered, the newest; of one for all, as many of each project. */
const mostThreads = 500;

export interface DeliveryServices {
  store: Store;
  sender: Pick<Sender, "send">;
  masker: Pick<Masker, "add" | "mask">;
  lock: KeyedLock;
  /** Signs links to gates; messages about gates carry none without it. */
  gateLinks?: GateLinks;
  now(): Date;
  concurrency?: number;
}

/**
 * Brings queued messages to their channels, each at least once: one that a channel took is out of the queue
 * with the next write, and a crash in between sends it again, under the same id.
 */
export function createDeliveryReconciler(services: DeliveryServices): Reconciler {
  const { store, masker, lock, now } = services;

  async function reconcile(
    ref: ResourceRef,
    signal: AbortSignal,
  ): Promise<{ requeueAfterSeconds: number } | undefined> {
    const delivery = (await store.get(ref)) as Delivery | undefined;
    if (delivery === undefined) return undefined;
    const early = Date.parse(delivery.status?.nextAttemptAt ?? "") - now().getTime();
    if (early > 0) return { requeueAfterSeconds: early / 1000 };
    try {
      await send(delivery, signal);
    } catch (error) {
      signal.throwIfAborted();
      return await failed(delivery, error);
    }
    await settle(delivery, [{ op: "delete", ref }], (at) => ({ lastDeliveredAt: at }));
    return undefined;
  }

  /** Grouped messages go one after another: the first of a group opens the thread that the others write to. */
  async function send(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { groupingKey } = delivery.spec;
    if (groupingKey === undefined) return void (await sendTo(delivery, undefined, signal));
    const channel = await store.get(channelOf(delivery));
    const place = { scope: `${channel?.metadata.uid ?? ""}/threads`, key: threadsOf(delivery) };
    const sendToThread = async () => {
      const threads = new Map((await store.journal(place.scope, place.key))?.value as [string, string][]);
      const known = threads.get(groupingKey);
      const { threadTS } = await sendTo(delivery, known, signal);
      if (known !== undefined || !threadTS) return;
      const value = [...threads.set(groupingKey, threadTS)].slice(-mostThreads);
      await store.write([{ op: "journal", ...place, value }]);
    };
    await lock.run(`threads ${place.scope} ${place.key}`, sendToThread, signal);
  }

  async function sendTo({ metadata, spec }: Delivery, threadTS: string | undefined, signal: AbortSignal) {
    const { regarding } = spec.event;
    const gate = regarding.kind === "Gate" ? await store.get(regarding) : undefined;
    const text = withLinks(spec.text, gate, services.gateLinks, masker);
    const message = {
      id: metadata.uid ?? metadata.name,
      content: await decode(text, spec.encodingType),
      subject: spec.subject,
      ...(threadTS === undefined ? {} : { threadTS }),
    };
    return await services.sender.send(metadata.namespace ?? "", spec.channel, message, signal);
  }

  async function failed(
    delivery: Delivery,
    error: unknown,
  ): Promise<{ requeueAfterSeconds: number } | undefined> {
    const { permanent = false, retryAfterSeconds } = error instanceof DeliveryFailure ? error : {};
    const why = masker.mask(error instanceof Error ? error.message : String(error));
    const attempts = (delivery.status?.attempts ?? 0) + 1;
    const pause = permanent ? undefined : nextPauseSeconds(attempts, retryAfterSeconds);
    const ref = refOf(delivery);
    const lastFailure = (at: string) => ({
      lastFailure: {
        at,
        event: delivery.spec.event.type,
        message: why,
        attempts,
        givenUp: pause === undefined,
      },
    });
    if (pause === undefined) {
      const given: Write[] = [
        { op: "delete", ref },
        { op: "event", event: undeliverable(delivery, why, attempts) },
      ];
      await settle(delivery, given, lastFailure);
      return undefined;
    }
    const nextAttemptAt = new Date(now().getTime() + pause * 1000).toISOString();
    const status = { attempts, lastFailure: why, nextAttemptAt };
    await settle(delivery, [{ op: "status", ref, status }], lastFailure);
    return { requeueAfterSeconds: pause };
  }

  /** What became of a message, and what its channel's status tells of it, in one write. */
  async function settle(
    delivery: Delivery,
    writes: readonly Write[],
    told: (at: string) => Partial<MessageChannelStatus>,
  ): Promise<void> {
    const ref = channelOf(delivery);
    await retryConflicts(async () => {
      const channel = (await store.get(ref)) as (Resource & { status?: MessageChannelStatus }) | undefined;
      const { resourceVersion } = channel?.metadata ?? {};
      const status = { ...channel?.status, ...told(now().toISOString()) };
      const telling: Write[] = channel === undefined ? [] : [{ op: "status", ref, status, resourceVersion }];
      await store.write([...writes, ...telling]);
    });
  }

  function undeliverable(delivery: Delivery, why: string, attempts: number): EventRecord {
    const { channel, event } = delivery.spec;
    const times = attempts === 1 ? "" : ` after ${attempts} tries`;
    return {
      at: now().toISOString(),
      project: delivery.metadata.namespace,
      type: "Warning",
      reason: "MessageUndeliverable",
      message: `The message about event ${event.type} was given up${times}: ${channel.kind} "${channel.name}" did not take it: ${why}`,
      regarding: channelOf(delivery),
    };
  }

  return {
    kind: "MessageDelivery",
    concurrency: services.concurrency ?? 10,
    reconcile,
    enqueueFor: ({ type, resource }) =>
      resource.kind === "MessageDelivery" && type === "ADDED" ? [refOf(resource)] : [],
    initial: async () => (await store.list({ kind: "MessageDelivery" })).map(refOf),
  };
}

/** Projects that share a channel share no threads on it, whatever their keys. */
function threadsOf({ metadata, spec }: Delivery): string {
  return spec.channel.kind === "MessageChannel" ? "all" : `project:${metadata.namespace ?? ""}`;
}

function channelOf({ metadata, spec }: Delivery): ResourceRef {
  return channelRef(metadata.namespace ?? "", spec.channel);
}
