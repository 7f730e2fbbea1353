import type { Masker } from "#core/credentials/masker.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import { labelsOf, newDelivery } from "#core/notifications/delivery.ts";
import { type RenderedMessage, render } from "#core/notifications/render.ts";
import type { EventRouter } from "#core/resources/event-router.ts";
import { type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import type { EventRecord, Store, Write } from "#core/store/store.ts";

/** Where it is kept up to which event all has been routed. */
const place = { scope: "event-routing", key: "routed-up-to" };
const queue: ResourceRef = { kind: "EventRouting", name: "events" };
const eventsAtOnce = 100;
/** An event that came without any other change is found no later than that. */
const patienceSeconds = 60;
const longestMessageBytes = 256 * 1024;

export interface RoutingServices {
  store: Store;
  expressions: Pick<Expressions, "evaluate" | "renderTemplate">;
  masker: Pick<Masker, "mask">;
  /** Where people reach the daemon. */
  uiBaseUrl: string;
  now(): Date;
  /** Messages that may wait for one channel; what comes on top of them is dropped, and told. */
  longestQueue?: number;
}

/**
 * Makes messages of events, as EventRouters say, and queues them. That an event was routed and its messages
 * are one write: a crash neither loses a message nor queues it twice.
 */
export function createRoutingReconciler(services: RoutingServices): Reconciler {
  const { store, expressions, masker, uiBaseUrl, now, longestQueue = 1000 } = services;
  /** Names of the routers that there are: without any, nothing that happens costs anything here. */
  const routers = new Set<string>();

  async function reconcile(): Promise<{ requeueAfterSeconds: number } | undefined> {
    if (routers.size === 0) {
      await store.forgetJournal(place.scope);
      return undefined;
    }
    const known = await store.journal(place.scope, place.key);
    if (known === undefined) {
      // The first router: what happened before it was there is none of its business.
      const [newest] = await store.events({ limit: 1 });
      await store.write([{ op: "journal", ...place, value: newest?.id ?? 0 }]);
    }
    for (let after = await routedUpTo(); ; ) {
      const events = await store.events({ after, limit: eventsAtOnce });
      const last = events.at(-1)?.id;
      if (last === undefined) return { requeueAfterSeconds: patienceSeconds };
      await store.write([...(await route(events)), { op: "journal", ...place, value: last }]);
      after = last;
    }
  }

  async function routedUpTo(): Promise<number> {
    return Number((await store.journal(place.scope, place.key))?.value ?? 0);
  }

  async function route(events: readonly EventRecord[]): Promise<Write[]> {
    const all = (await store.list({ kind: "EventRouter" })) as EventRouter[];
    const waiting = new Map<string, number>();
    const writes: Write[] = [];
    for (const event of events) {
      for (const router of all.filter((one) => concerns(one, event))) {
        writes.push(...(await routeOne(router, event, waiting)));
      }
    }
    return writes;
  }

  async function routeOne(
    router: EventRouter,
    event: EventRecord,
    waiting: Map<string, number>,
  ): Promise<Write[]> {
    const { regarding } = event;
    const data = regarding.kind === "Secret" ? undefined : await store.get(regarding);
    const happening = { event, data, uiBaseURL: uiBaseUrl };
    const rendered = await render(expressions, router.spec, happening).catch((problem: Error) => [
      { problem },
    ]);
    const writes: Write[] = [];
    for (const [index, one] of rendered.entries()) {
      if ("problem" in one) writes.push(...untold(router, event, one.problem.message));
      else writes.push(...(await enqueue(router, event, { index, message: one.message, waiting })));
    }
    return writes;
  }

  async function enqueue(
    router: EventRouter,
    event: EventRecord,
    { index, message, waiting }: { index: number; message: RenderedMessage; waiting: Map<string, number> },
  ): Promise<Write[]> {
    const { namespace: project = "", name } = router.metadata;
    if (Buffer.byteLength(message.text) > longestMessageBytes) {
      return untold(router, event, `it is longer than ${longestMessageBytes} bytes`);
    }
    if ((await countOneMore(project, message, waiting)) > longestQueue) {
      return [{ op: "event", event: dropped(router, event, message) }];
    }
    const { id = 0, reason: type, at, regarding } = event;
    const told = { router: name, index, event: { id, type, at, regarding } };
    // A secret that a template found in a resource is not told.
    const text = masker.mask(message.text);
    return [{ op: "create", resource: newDelivery(project, { ...message, text }, told) }];
  }

  /** The writes that tell why an event became no message. */
  function untold(router: EventRouter, event: EventRecord, why: string): Write[] {
    const message = `Cannot make a message of event ${event.reason}: ${masker.mask(why)}`;
    const lastFailure = { at: now().toISOString(), event: event.reason, message };
    return [
      { op: "status", ref: refOf(router), status: { lastFailure } },
      { op: "event", event: warning(router, "EventRoutingFailed", message) },
    ];
  }

  async function countOneMore(
    project: string,
    { channel }: RenderedMessage,
    waiting: Map<string, number>,
  ): Promise<number> {
    const key = `${project}/${channel.kind}/${channel.name}`;
    if (!waiting.has(key)) {
      const labels = labelsOf(channel);
      waiting.set(key, (await store.list({ kind: "MessageDelivery", project, labels })).length);
    }
    const count = (waiting.get(key) ?? 0) + 1;
    waiting.set(key, count);
    return count;
  }

  function dropped(router: EventRouter, event: EventRecord, { channel }: RenderedMessage): EventRecord {
    const message = `${longestQueue} messages wait for ${channel.kind} "${channel.name}": the one about event ${event.reason} was dropped`;
    return warning(router, "MessageDropped", message);
  }

  function warning(router: EventRouter, reason: string, message: string): EventRecord {
    const { namespace: project, uid } = router.metadata;
    const regarding = { ...refOf(router), ...(uid ? { uid } : {}) };
    return { at: now().toISOString(), project, type: "Warning", reason, message, regarding };
  }

  function note(type: string, { kind, metadata }: Resource): void {
    if (kind !== "EventRouter") return;
    const name = `${metadata.namespace}/${metadata.name}`;
    if (type === "DELETED") routers.delete(name);
    else routers.add(name);
  }

  return {
    kind: queue.kind,
    concurrency: 1,
    reconcile: () => reconcile(),
    enqueueFor({ type, resource }) {
      note(type, resource);
      const isOwn = ["MessageDelivery", "MessageChannel", "ClusterMessageChannel"].includes(resource.kind);
      if (isOwn || (routers.size === 0 && resource.kind !== "EventRouter")) return [];
      return [queue];
    },
    async initial() {
      for (const router of await store.list({ kind: "EventRouter" })) note("ADDED", router);
      return routers.size > 0 ? [queue] : [];
    },
  };
}

/** What happened to everything concerns every project. A router hears of nothing from before it was made. */
function concerns({ metadata, spec }: EventRouter, event: EventRecord): boolean {
  const isOfProject = event.project === undefined || event.project === metadata.namespace;
  const isOlder = Date.parse(event.at) < Date.parse(metadata.creationTimestamp ?? event.at);
  return isOfProject && !isOlder && spec.types.includes(event.reason);
}
