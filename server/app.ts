import { Hono, type MiddlewareHandler } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { analysisLogRoutes } from "#server/api/analysis-logs.ts";
import type { Api } from "#server/api/api.ts";
import { auditRoutes } from "#server/api/audit.ts";
import { configRoutes } from "#server/api/config.ts";
import { configMapRoutes } from "#server/api/config-maps.ts";
import { eventRoutes } from "#server/api/events.ts";
import { freezeRoutes } from "#server/api/freezes.ts";
import { freightRoutes } from "#server/api/freight.ts";
import { gateLinkRoutes } from "#server/api/gate-links.ts";
import { gateRoutes } from "#server/api/gates.ts";
import { genericCredentialRoutes } from "#server/api/generic-credentials.ts";
import { imageRoutes } from "#server/api/images.ts";
import { linkRoutes } from "#server/api/links.ts";
import { plainKindRoutes } from "#server/api/plain-kinds.ts";
import { projectCheck } from "#server/api/project-check.ts";
import { projectRoutes } from "#server/api/projects.ts";
import { promotionRoutes } from "#server/api/promotions.ts";
import { repoCredentialRoutes } from "#server/api/repo-credentials.ts";
import { resourceRoutes } from "#server/api/resources.ts";
import { roleRoutes } from "#server/api/roles.ts";
import { stageOperationRoutes } from "#server/api/stage-operations.ts";
import { stageRoutes } from "#server/api/stages.ts";
import { stepImageRoutes } from "#server/api/step-images.ts";
import { stepLogRoutes } from "#server/api/step-log.ts";
import { systemRoutes } from "#server/api/system.ts";
import { warehouseRoutes } from "#server/api/warehouses.ts";
import { createApiTokenStore } from "#server/auth/api-tokens.ts";
import { createGuard } from "#server/auth/guard.ts";
import { identityOf } from "#server/auth/oidc-identity.ts";
import { createAuthenticator } from "#server/auth/tokens.ts";
import { createChangeFeed } from "#server/change-feed.ts";
import { answerErrors } from "#server/errors.ts";
import { healthRoutes } from "#server/health.ts";
import { createMetrics, metricsRoutes } from "#server/metrics.ts";
import { openApiRoute } from "#server/openapi.ts";
import { mount, type Route, type ServerApp, type ServerContext, type ServerEnv } from "#server/route.ts";
import type { Services } from "#server/services.ts";
import { createStreams } from "#server/sse.ts";
import { assetRoutes } from "#server/ui/assets.ts";
import { gateLinkPageRoutes } from "#server/ui/gate-link-routes.ts";
import { loginPage, safeNext } from "#server/ui/login-page.ts";
import { pageRoutes } from "#server/ui/page-routes.ts";
import { sessionRoutes } from "#server/ui/session-routes.ts";
import { webhookRoutes } from "#server/webhooks/routes.ts";

/** Puts the whole HTTP side of the daemon together. Opens no port; listens to the store until `closing`. */
export function createApp(services: Services): ServerApp {
  const { closing, limits, log, store, version } = services;
  const api = createApi(services);
  const metrics = createMetrics(api);
  const app: ServerApp = new Hono<ServerEnv>();
  app.use(secureHeaders({ contentSecurityPolicy, referrerPolicy: "same-origin" }));
  app.use(metrics.measure);
  app.use(keepOutOfCaches);
  mount(app, [...apiRoutes(api), ...metricsRoutes(api, metrics), openApiRoute(app, version)], {
    guard: createGuard(api.authenticator, services.publicUrl),
    requireProject: projectCheck(store),
    bodyBytes: limits.bodyBytes,
  });
  app.notFound((c) => c.json({ error: `there is nothing at ${c.req.path}` }, 404));
  app.onError(answerErrors(log, askToSignIn));

  const unwatch = store.watch(metrics.observe);
  closing.addEventListener("abort", () => {
    unwatch();
    api.feed.close();
    api.streams.close();
  });
  return app;
}

/** A page that is asked for without a token is answered with the way to get in. */
function askToSignIn(c: ServerContext): Response | Promise<Response> {
  const { pathname, search } = new URL(c.req.url);
  return c.html(loginPage({ next: safeNext(pathname + search) }), 401);
}

/** What somebody was allowed to see stays with him, unless a route says otherwise. */
const keepOutOfCaches: MiddlewareHandler = async (c, next) => {
  await next();
  if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
};

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
  const { limits, log, oidc, store, token } = services;
  const apiTokens = createApiTokenStore(store);
  return {
    ...services,
    apiTokens,
    authenticator: createAuthenticator({
      token,
      sessionSeconds: limits.sessionSeconds,
      apiTokens: apiTokens.identify,
      ...(oidc && {
        async oidc(bearer) {
          const claims = await oidc.verify(bearer);
          return claims && identityOf(store, oidc.settings, claims);
        },
      }),
    }),
    feed: createChangeFeed(store, limits.streamBacklog),
    streams: createStreams(limits.streams, log),
  };
}

function apiRoutes(api: Api): Route[] {
  return [
    ...healthRoutes(api),
    ...systemRoutes(api),
    ...resourceRoutes(api),
    ...projectRoutes(api),
    ...configRoutes(api),
    ...stageRoutes(api),
    ...stageOperationRoutes(api),
    ...warehouseRoutes(api),
    ...freightRoutes(api),
    ...promotionRoutes(api),
    ...stepLogRoutes(api),
    ...gateRoutes(api),
    ...freezeRoutes(api),
    ...gateLinkRoutes(api),
    ...plainKindRoutes(api),
    ...configMapRoutes(api),
    ...repoCredentialRoutes(api),
    ...genericCredentialRoutes(api),
    ...imageRoutes(api),
    ...stepImageRoutes(api),
    ...linkRoutes(api),
    ...analysisLogRoutes(api),
    ...eventRoutes(api),
    ...auditRoutes(api),
    ...roleRoutes(api),
    ...webhookRoutes(api),
    ...sessionRoutes(api),
    ...pageRoutes(api),
    ...gateLinkPageRoutes(api),
    ...assetRoutes(),
  ];
}
