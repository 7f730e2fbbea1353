import { openAPIRouteHandler } from "hono-openapi";
import type { Route, ServerApp } from "#server/route.ts";

/** The description of the API, made from the routes that the app has. */
export const openApiRoute = (app: ServerApp, version: string): Route => ({
  method: "GET",
  path: "/openapi.json",
  id: "OpenAPI",
  summary: "Describe this API",
  needs: "view",
  answers: { 200: "An OpenAPI document." },
  handle: openAPIRouteHandler(app, {
    excludeStaticFile: false,
    documentation: {
      info: {
        title: "Towpath",
        version,
        description:
          "Kargo's REST API, and beside it gates, step logs and kinds that Kargo's has no paths for.",
      },
      components: { securitySchemes: { BearerAuth: { type: "http", scheme: "bearer" } } },
      security: [{ BearerAuth: [] }],
    },
  }),
});
