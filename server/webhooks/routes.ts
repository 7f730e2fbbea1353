import type { MiddlewareHandler } from "hono";
import type { Limits } from "#server/limits.ts";
import type { Route, ServerEnv } from "#server/route.ts";
import type { WebhookServices } from "#server/webhooks/provider.ts";
import { findReceiver, webhookFolder } from "#server/webhooks/receivers.ts";

/** Where the platforms call. Nothing of a body is read before it is clear that there is a receiver for it. */
export const webhookRoutes = (services: WebhookServices & { limits: Limits }): Route[] => [
  {
    method: "POST",
    path: `${webhookFolder}/:type/:id`,
    id: "ReceiveWebhook",
    summary: "Receive a webhook; the addresses stand in the status of ProjectConfigs and the ClusterConfig",
    needs: "view",
    maxBodyBytes: services.limits.webhookBytes,
    answers: { 200: "What was done." },
    before: findReceiverFirst(services),
    handle: async (c) => {
      const receiver = c.get("receiver");
      const answer = await receiver.provider.receive(
        {
          headers: c.req.raw.headers,
          query: new URL(c.req.url).searchParams,
          body: new Uint8Array(await c.req.arrayBuffer()),
          secret: receiver.secret,
          project: receiver.project,
          config: receiver.config,
        },
        services,
      );
      return c.json(answer.body as object, answer.status);
    },
  },
];

function findReceiverFirst({ store }: WebhookServices): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    const receiver = await findReceiver(store, c.req.param("type") ?? "", c.req.param("id") ?? "");
    if (!receiver) return c.json({}, 404);
    c.set("receiver", receiver);
    await next();
    return undefined;
  };
}
