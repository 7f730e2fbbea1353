import type { MiddlewareHandler } from "hono";
import { getCookie } from "hono/cookie";
import { UserError } from "#core/failure.ts";
import type { Identity } from "#server/auth/identity.ts";
import { isAllowed } from "#server/auth/policy.ts";
import { publicRoutes } from "#server/auth/public-routes.ts";
import type { Authenticator } from "#server/auth/tokens.ts";
import type { Route, ServerContext, ServerEnv } from "#server/route.ts";

export const sessionCookie = "towpath_session";

/** The check that stands in the handler chain of every route that is not public. */
export function createGuard(authenticator: Authenticator, publicUrl: string) {
  return (route: Route): MiddlewareHandler<ServerEnv> => {
    if (publicRoutes.has(`${route.method} ${route.path}`)) return (_, next) => next();
    return async (c, next) => {
      const identity = await identifyCaller(c, authenticator, publicUrl);
      const project = c.req.param("project") ?? route.owner;
      if (!isAllowed(identity, route.needs, project)) throw forbidden(identity, route.summary);
      c.set("identity", identity);
      await next();
    };
  };
}

/** Who calls. Fails with 401 when nobody is known by what the request shows. */
async function identifyCaller(
  c: ServerContext,
  authenticator: Authenticator,
  publicUrl: string,
): Promise<Identity> {
  const header = c.req.header("Authorization");
  if (header !== undefined) {
    const bearer = /^Bearer (.+)$/i.exec(header)?.[1];
    const known = bearer === undefined ? undefined : await authenticator.identify(bearer);
    if (!known) throw new UserError("invalid token", { status: 401 });
    return { ...known, via: "bearer" };
  }
  const cookie = getCookie(c, sessionCookie);
  if (cookie === undefined) throw new UserError("no token provided", { status: 401 });
  const known = await authenticator.identify(cookie);
  if (!known) throw new UserError("invalid token", { status: 401 });
  if (!isReading(c)) requireSameOrigin(c, publicUrl);
  return { ...known, via: "cookie" };
}

function isReading(c: ServerContext): boolean {
  return c.req.method === "GET" || c.req.method === "HEAD";
}

/** Refuses requests that a page of another site had a browser send along with our cookie. */
export function requireSameOrigin(c: ServerContext, publicUrl: string): void {
  const origin = c.req.header("Origin");
  // A proxy may have put its own name for us into the request.
  const hosts = [c.req.header("Host") ?? new URL(c.req.url).host, new URL(publicUrl).host];
  const own =
    origin === undefined
      ? c.req.header("Sec-Fetch-Site") === "same-origin"
      : hosts.some((host) => host === originHost(origin));
  if (!own) throw new UserError("Cannot act for a page of another site", { status: 403 });
}

/**
 * The same for requests that show by themselves what they may, and need no cookie: programs send neither header,
 * browsers always do.
 */
export function refuseForeignPages(c: ServerContext, publicUrl: string): void {
  if (c.req.header("Origin") !== undefined || c.req.header("Sec-Fetch-Site") !== undefined) {
    requireSameOrigin(c, publicUrl);
  }
}

function originHost(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

export function forbidden(identity: Identity, what: string): UserError {
  const where = identity.project === undefined ? "" : ` of project "${identity.project}"`;
  return new UserError(`${identity.actor} may not do this as ${identity.role}${where}: ${what}`, {
    status: 403,
  });
}
