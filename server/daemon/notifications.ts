import { createDeliveryReconciler } from "#core/notifications/delivery-reconciler.ts";
import { createRoutingReconciler } from "#core/notifications/routing-reconciler.ts";
import { createSender, type Sender } from "#core/notifications/sender.ts";
import type { Reconciler } from "#core/scheduler/reconciler.ts";
import type { Parts } from "#server/daemon/parts.ts";

/** Brings messages to channels under the egress rules. */
export function messageSender(parts: Parts): Sender {
  const { egress } = parts;
  return createSender({ ...parts, addresses: (host, port) => egress.addresses(host, port) });
}

/** Makes messages of events, and sends them. */
export function notificationReconcilers(parts: Parts, publicUrl: string): Reconciler[] {
  return [
    createRoutingReconciler({ ...parts, uiBaseUrl: publicUrl }),
    createDeliveryReconciler({
      ...parts,
      sender: messageSender(parts),
      gateLinks: parts.gateLinksAt(publicUrl),
    }),
  ];
}
