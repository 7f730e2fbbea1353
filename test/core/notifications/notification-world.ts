import { onTestFinished } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { createMasker } from "#core/credentials/masker.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { sharedExpressions } from "#core/expressions/shared.ts";
import { createKeyedLock } from "#core/keyed-lock.ts";
import { createDeliveryReconciler } from "#core/notifications/delivery-reconciler.ts";
import { createRoutingReconciler } from "#core/notifications/routing-reconciler.ts";
import { createSender } from "#core/notifications/sender.ts";
import { createGateLinks } from "#core/promotion/gate-links.ts";
import type { EventRouterSpec } from "#core/resources/event-router.ts";
import { MessageChannelSpec } from "#core/resources/message-channel.ts";
import type { Resource } from "#core/resources/resource.ts";
import { createScheduler } from "#core/scheduler/scheduler.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { EventRecord } from "#core/store/store.ts";
import { createFakeClock } from "#test/core/scheduler/fake-clock.ts";

const enterprise = "ee.kargo.akuity.io/v1alpha1";

export const channel = (name: string, spec: object, kind = "MessageChannel"): Resource => ({
  apiVersion: enterprise,
  kind,
  metadata: kind === "MessageChannel" ? { name, namespace: "shop" } : { name },
  spec: MessageChannelSpec.parse(spec),
});

export const secret = (name: string, stringData: Record<string, string>, namespace = "shop"): Resource => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace },
  ...{ stringData },
});

export const router = (spec: Partial<EventRouterSpec>, name = "router"): Resource => ({
  apiVersion: enterprise,
  kind: "EventRouter",
  metadata: { name, namespace: "shop" },
  spec: { types: ["PromotionFailed"], channels: [{ kind: "MessageChannel", name: "sink" }], ...spec },
});

export const promotion = (name = "test.1"): Resource => ({
  apiVersion: "kargo.akuity.io/v1alpha1",
  kind: "Promotion",
  metadata: { name, namespace: "shop", labels: { team: "x" } },
  spec: { stage: "test", freight: "f1", steps: [] },
});

const prefix = "event.kargo.akuity.io/";

export const happened = (
  fields: Partial<EventRecord> = {},
  annotations: Record<string, string> = {},
): EventRecord => ({
  at: new Date("2030-01-02T03:04:05Z").toISOString(),
  project: "shop",
  type: "Warning",
  reason: "PromotionFailed",
  message: 'Step "deploy" failed: "no"',
  regarding: { kind: "Promotion", project: "shop", name: "test.1" },
  annotations: Object.fromEntries(
    Object.entries({
      project: "shop",
      actor: "email:jo@example.com",
      "promotion-name": "test.1",
      "stage-name": "test",
      "freight-name": "f1",
      "freight-alias": "jolly-otter",
      "freight-images": '[{"repoURL":"registry.example.com/app","tag":"v1"}]',
      ...annotations,
    }).map(([name, value]) => [prefix + name, value]),
  ),
  ...fields,
});

/** Routing and delivery at work on a real store, under a clock that stands still. */
export async function createWorld(resources: readonly Resource[], options: { longestQueue?: number } = {}) {
  const clock = createFakeClock(Date.parse("2030-01-02T03:04:05Z"));
  const now = () => new Date(clock.now());
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)), now });
  const masker = createMasker();
  const expressions = await sharedExpressions();
  const policy = createEgressPolicy({ allow: ["127.0.0.1", "localhost"] });
  const failures: unknown[] = [];
  const scheduler = createScheduler({
    store,
    clock,
    onRun: ({ failure }) => failure && failures.push(failure.error),
  });
  const gateLinks = createGateLinks({ key: Buffer.alloc(32), publicUrl: "https://towpath.example.com", now });
  const sender = createSender({
    store,
    masker,
    expressions,
    fetchWith: (signal) => createFetch({ policy, signal }),
    addresses: policy.addresses,
  });
  const common = { store, masker, now, expressions, sender, gateLinks, lock: createKeyedLock() };
  scheduler.register(
    createRoutingReconciler({ ...common, ...options, uiBaseUrl: "https://towpath.example.com" }),
  );
  scheduler.register(createDeliveryReconciler(common));
  await store.write(resources.map((resource) => ({ op: "create", resource })));
  await scheduler.start();
  await scheduler.idle();
  onTestFinished(async () => {
    await scheduler.stop(0);
    await store.close();
  });
  return {
    store,
    sender,
    masker,
    failures,
    /** Events, told with the change of a promotion as the daemon tells them. */
    async tell(...events: EventRecord[]) {
      const ref = { kind: "Stage", project: "shop", name: `s${Math.random()}` };
      const stage = {
        apiVersion: "kargo.akuity.io/v1alpha1",
        kind: "Stage",
        metadata: { name: ref.name, namespace: "shop" },
        spec: {},
      };
      await store.write([
        { op: "create", resource: stage },
        ...events.map((event) => ({ op: "event", event }) as const),
      ]);
      await scheduler.idle();
    },
    async pass(seconds: number) {
      await clock.advance(seconds);
      await scheduler.idle();
    },
    statusOf: async (kind: string, name: string) =>
      (await store.get(kind.startsWith("Cluster") ? { kind, name } : { kind, project: "shop", name }))
        ?.status as Record<string, unknown> | undefined,
    waiting: async () => (await store.list({ kind: "MessageDelivery" })).length,
    reasons: async () => (await store.events({})).map(({ reason }) => reason),
  };
}
