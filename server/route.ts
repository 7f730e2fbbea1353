import type { Context, Handler, Hono, MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { type DescribeRouteOptions, describeRoute } from "hono-openapi";
import { z } from "zod";
import type { Identity } from "#server/auth/identity.ts";
import type { Permission } from "#server/auth/roles.ts";
import type { Receiver } from "#server/webhooks/receivers.ts";

/** What a request carries on its way through the handlers. */
export interface ServerEnv {
  Variables: { identity: Identity; receiver: Receiver };
}

export type ServerContext = Context<ServerEnv>;
export type ServerApp = Hono<ServerEnv>;

/**
 * One route, described once: the handler chain, the check of who may call it and its page in `/openapi.json`
 * all come from this value.
 */
export interface Route {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Hono's pattern. A `:project` in it limits who may call to those with rights in that project. */
  path: string;
  /** Names the operation; Kargo's name where Kargo has one. */
  id: string;
  summary: string;
  /** What the caller must be allowed to; not asked for on the routes of auth/public-routes.ts. */
  needs: Permission;
  /** Whose it is, where the path names no project and the answer is not for everybody who is known. */
  owner?: string;
  /** Query parameters and what they mean. */
  query?: Record<string, string>;
  /** Shape of the JSON body, or "text" for one that is read as it is. */
  body?: z.ZodType | "text";
  maxBodyBytes?: number;
  /** Statuses other than errors, and what they tell. */
  answers: Record<number, string>;
  /** Runs before the body is read. */
  before?: MiddlewareHandler<ServerEnv>;
  handle: Handler<ServerEnv>;
}

/** The checks that stand before a route's handler. */
export interface Checks {
  guard(route: Route): MiddlewareHandler<ServerEnv>;
  requireProject: MiddlewareHandler<ServerEnv>;
  /** Bound of bodies, where a route has none of its own. */
  bodyBytes: number;
}

/** Registers routes, each with its checks in its own chain. */
export function mount(app: ServerApp, routes: readonly Route[], checks: Checks): void {
  for (const route of routes) {
    const { method, path, before, maxBodyBytes = checks.bodyBytes } = route;
    const chain = [describeRoute(describe(route)), checks.guard(route)];
    if (path.startsWith("/v1beta1/projects/:project")) chain.push(checks.requireProject);
    if (before) chain.push(before);
    chain.push(limitBody(maxBodyBytes));
    app.on(method, [path], ...chain, route.handle);
  }
}

/** Refuses long bodies before they are read, and while they are read when their length was not told. */
function limitBody(maxSize: number): MiddlewareHandler {
  const error = `content exceeds limit of ${maxSize} bytes`;
  return bodyLimit({ maxSize, onError: (c) => c.json({ error }, 413) });
}

function describe(route: Route): DescribeRouteOptions {
  const { id, summary, query = {}, answers, body } = route;
  const responses = Object.entries(answers).map(([status, description]) => [status, { description }]);
  return {
    operationId: id,
    summary,
    parameters: Object.entries(query).map(([name, description]) => ({
      in: "query" as const,
      name,
      description,
      schema: { type: "string" as const },
    })),
    ...(body === undefined ? {} : { requestBody: describeBody(body) }),
    responses: Object.fromEntries(responses) as Record<string, { description: string }>,
  };
}

function describeBody(body: z.ZodType | "text"): NonNullable<DescribeRouteOptions["requestBody"]> {
  if (body === "text")
    return { required: true, content: { "text/plain": { schema: { type: "string" as const } } } };
  const { $schema: _, ...schema } = z.toJSONSchema(body, { io: "input" });
  return { required: true, content: { "application/json": { schema: schema as object } } };
}
