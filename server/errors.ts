import type { Context } from "hono";
import { HTTPException } from "hono/http-exception";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { UserError } from "#core/failure.ts";
import { formatRef, type ResourceRef } from "#core/resources/resource.ts";
import { AlreadyExistsError, ConflictError, NotFoundError } from "#core/store/store.ts";
import type { ServerLog } from "#server/services.ts";

/** `name` is not there: 404. */
export function notFound(ref: ResourceRef): UserError {
  return new UserError(`${formatRef(ref)} not found`, { status: 404 });
}

/** What a failed request is answered with; `undefined` when the failure is ours and nothing of it may be told. */
export function explainError(error: unknown): { status: number; message: string; hint?: string } | undefined {
  if (error instanceof UserError) {
    return { status: error.status, message: error.message, ...(error.hint ? { hint: error.hint } : {}) };
  }
  if (error instanceof NotFoundError) return { status: 404, message: error.message };
  if (error instanceof AlreadyExistsError) return { status: 409, message: error.message };
  if (error instanceof ConflictError) return { status: 409, message: error.message };
  if (error instanceof HTTPException) return { status: error.status, message: error.message };
  return undefined;
}

/**
 * Answers failed requests as Kargo does: `{"error": …}`, with nothing about failures of our own. A browser that
 * asks for a page is sent to `askToSignIn` when it shows no token.
 */
export function answerErrors(log: ServerLog, askToSignIn: (c: Context) => Response | Promise<Response>) {
  return (error: unknown, c: Context): Response | Promise<Response> => {
    const told = explainError(error);
    if (told) {
      const { status, message, hint } = told;
      if (status === 401 && isPageRequest(c)) return askToSignIn(c);
      return c.json({ error: message, ...(hint ? { hint } : {}) }, status as ContentfulStatusCode);
    }
    log.error(`Cannot answer ${c.req.method} ${c.req.path}`, { error });
    return c.json({ error: "internal server error" }, 500);
  };
}

function isPageRequest(c: Context): boolean {
  return c.req.method === "GET" && (c.req.header("Accept")?.includes("text/html") ?? false);
}
