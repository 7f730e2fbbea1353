import type { ClusterConfig } from "#core/resources/cluster-config.ts";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import { type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { WebhookReceiverDetails } from "#core/resources/webhook-receiver.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import { deleteCondition, setCondition } from "#core/stages/conditions.ts";
import type { ResourceChange, Store } from "#core/store/store.ts";
import { keys } from "#server/api/keys.ts";
import { systemNamespace } from "#server/api/namespaces.ts";
import { describeReceiver, openReceiver } from "#server/webhooks/receivers.ts";

export interface ReceiverReconcilerServices {
  store: Store;
  publicUrl: string;
  now(): Date;
}

type Config = ProjectConfig | ClusterConfig;

/**
 * Keeps the status of ProjectConfigs and of the ClusterConfig: the addresses of their webhook receivers, and
 * whether each of them can work.
 */
export function createConfigReconcilers(services: ReceiverReconcilerServices): Reconciler[] {
  return (["ProjectConfig", "ClusterConfig"] as const).map((kind) => ({
    kind,
    concurrency: 2,
    reconcile: (ref) => reconcile(services, ref),
    enqueueFor: (change) => concernedBy(kind, change),
    initial: async () => (await services.store.list({ kind })).map(refOf),
  }));
}

/** A config looks again when it changes, and when a Secret of its namespace does. */
function concernedBy(
  kind: "ProjectConfig" | "ClusterConfig",
  { resource, type }: ResourceChange,
): ResourceRef[] {
  if (resource.kind === kind) return type === "DELETED" ? [] : [refOf(resource)];
  const { namespace } = resource.metadata;
  if (resource.kind !== "Secret" || namespace === undefined) return [];
  if (kind === "ClusterConfig") return namespace === systemNamespace ? [{ kind, name: "cluster" }] : [];
  return [{ kind, project: namespace, name: namespace }];
}

async function reconcile({ store, publicUrl, now }: ReceiverReconcilerServices, ref: ResourceRef) {
  const config = (await store.get(ref)) as Config | undefined;
  if (!config) return undefined;
  const { generation, resourceVersion, annotations } = config.metadata;
  const receivers: WebhookReceiverDetails[] = [];
  const problems: string[] = [];
  for (const receiver of config.spec?.webhookReceivers ?? []) {
    try {
      receivers.push(describeReceiver(publicUrl, await openReceiver(store, receiver, ref.project)));
    } catch (error) {
      problems.push(`error syncing WebhookReceiver "${receiver.name}": ${(error as Error).message}`);
    }
  }
  const status = structuredClone(config.status ?? {});
  status.webhookReceivers = receivers.length > 0 ? receivers : undefined;
  status.observedGeneration = generation;
  const refresh = annotations?.[keys.refresh];
  if (refresh !== undefined) status.lastHandledRefresh = refresh;
  const failed = problems.length > 0;
  deleteCondition(status, "Reconciling");
  setCondition(
    status,
    {
      type: "Ready",
      status: failed ? "False" : "True",
      reason: failed ? "SyncWebhookReceiversFailed" : "Synced",
      message: failed
        ? `Failed to sync WebhookReceivers: ${problems.join("; ")}`
        : `${ref.kind} is synced and ready for use`,
      observedGeneration: generation,
    },
    now(),
  );
  await store.write([
    { op: "status", ref: refOf(config as Resource), status, ...(resourceVersion ? { resourceVersion } : {}) },
  ]);
  return undefined;
}
