import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import type { Api } from "#server/api/api.ts";
import { configRoutes } from "#server/api/config.ts";
import { plainKindRoutes } from "#server/api/plain-kinds.ts";
import { projectCheck } from "#server/api/project-check.ts";
import { projectRoutes } from "#server/api/projects.ts";
import { promotionRoutes } from "#server/api/promotions.ts";
import { resourceRoutes } from "#server/api/resources.ts";
import { stageRoutes } from "#server/api/stages.ts";
import { warehouseRoutes } from "#server/api/warehouses.ts";
import { createApiTokenStore } from "#server/auth/api-tokens.ts";
import { createGuard } from "#server/auth/guard.ts";
import { createAuthenticator } from "#server/auth/tokens.ts";
import { createChangeFeed } from "#server/change-feed.ts";
import { answerErrors } from "#server/errors.ts";
import { mount, type Route, type ServerApp, type ServerEnv } from "#server/route.ts";
import type { Services } from "#server/services.ts";
import { createStreams } from "#server/sse.ts";

/** Puts the whole HTTP side of the daemon together. Opens no port; listens to the store until `closing`. */
export function createApp(services: Services): ServerApp {
  const api = createApi(services);
  const app: ServerApp = new Hono<ServerEnv>();
  app.use(secureHeaders({ contentSecurityPolicy, referrerPolicy: "no-referrer" }));
  mount(app, routesOf(api), {
    guard: createGuard(api.authenticator),
    requireProject: projectCheck(services.store),
    bodyBytes: services.limits.bodyBytes,
  });
  app.notFound((c) => c.json({ error: `there is nothing at ${c.req.path}` }, 404));
  app.onError(answerErrors(services.log));
  services.closing.addEventListener("abort", () => {
    api.feed.close();
    api.streams.close();
  });
  return app;
}

/** Nothing but our own files, and no script or style within a page. */
const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  imgSrc: ["'self'"],
  connectSrc: ["'self'"],
  formAction: ["'self'"],
  frameAncestors: ["'none'"],
  baseUri: ["'none'"],
};

function createApi(services: Services): Api {
  const { limits, log, store, token } = services;
  const apiTokens = createApiTokenStore(store);
  return {
    ...services,
    apiTokens,
    authenticator: createAuthenticator({
      token,
      sessionSeconds: limits.sessionSeconds,
      apiTokens: apiTokens.identify,
    }),
    feed: createChangeFeed(store, limits.streamBacklog),
    streams: createStreams(limits.streams, log),
  };
}

/** Every route there is. */
export function routesOf(api: Api): Route[] {
  return [
    ...resourceRoutes(api),
    ...projectRoutes(api),
    ...configRoutes(api),
    ...stageRoutes(api),
    ...warehouseRoutes(api),
    ...promotionRoutes(api),
    ...plainKindRoutes(api),
  ];
}
