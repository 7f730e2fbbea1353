import type { HttpBindings } from "@hono/node-server";
import type { AnswerSource } from "#core/promotion/gate-source.ts";
import type { ServerContext } from "#server/route.ts";

const longestUserAgent = 200;

/** From where a request came, as far as it can be told. What clients say of themselves proves nothing. */
export function answerSource(c: ServerContext, via?: AnswerSource["via"]): AnswerSource {
  const userAgent = c.req.header("User-Agent")?.slice(0, longestUserAgent);
  const address = clientAddress(c);
  return {
    via: via ?? (c.get("identity").via === "cookie" ? "page" : isCli(userAgent) ? "cli" : "api"),
    ...(address && { address }),
    ...(userAgent && { userAgent }),
  };
}

function isCli(userAgent: string | undefined): boolean {
  return userAgent?.startsWith("towpath/") ?? false;
}

/** A proxy on this machine tells who asked it; anybody else could tell anything. */
function clientAddress(c: ServerContext): string | undefined {
  const { incoming } = (c.env ?? {}) as Partial<HttpBindings>;
  const address = incoming?.socket?.remoteAddress?.replace(/^::ffff:/, "");
  if (address !== undefined && !isLoopback(address)) return address;
  const told = c.req.header("X-Forwarded-For")?.split(",").at(-1)?.trim().slice(0, 64);
  return told || address;
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
