import type { MiddlewareHandler } from "hono";
import type { Store } from "#core/store/store.ts";
import { notFound } from "#server/errors.ts";
import type { ServerEnv } from "#server/route.ts";

/** Answers 404 for everything under a project that is not there, whatever is asked of it. */
export function projectCheck(store: Store): MiddlewareHandler<ServerEnv> {
  return async (c, next) => {
    const ref = { kind: "Project", name: c.req.param("project") as string };
    if (!(await store.get(ref))) throw notFound(ref);
    await next();
  };
}
