import type { Dispatcher } from "undici";
import { StepFailure } from "#core/failure.ts";

export const maxRedirects = 10;

/** One request of a chain of redirects. */
export interface Exchange {
  url: URL;
  method: string;
  headers: Headers;
  /** A function stands for a stream, which can be sent only once. */
  body: Buffer | (() => ReadableStream) | undefined;
}

const redirectStatuses = new Set([301, 302, 303, 307, 308]);

export function isRedirect({ statusCode, headers }: Dispatcher.ResponseData): boolean {
  return redirectStatuses.has(statusCode) && headers.location !== undefined;
}

/** Headers that say nothing about who asks; every other may be a credential and stays with its host. */
const harmlessHeaders = ["accept", "accept-encoding", "accept-language", "if-range", "range", "user-agent"];
const bodyHeaders = ["content-type", "content-length", "content-encoding", "content-language"];

/** The request to send next; undefined when the caller wants the redirect itself. */
export function afterRedirect(
  exchange: Exchange,
  answer: Dispatcher.ResponseData,
  mode: RequestInit["redirect"] = "follow",
): Exchange | undefined {
  if (mode === "manual") return undefined;
  const what = `Cannot ${exchange.method} "${exchange.url.origin}${exchange.url.pathname}"`;
  if (mode === "error") throw new StepFailure("errored", `${what}: it redirects`);
  const url = URL.parse([answer.headers.location].flat()[0] ?? "", exchange.url);
  if (url === null || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw new StepFailure("refused", `${what}: it redirects to something other than an http or https URL`);
  }
  const next = { ...exchange, url, headers: new Headers(exchange.headers) };
  url.username = "";
  url.password = "";
  if (dropsBody(exchange.method, answer.statusCode)) {
    next.method = exchange.method === "HEAD" ? "HEAD" : "GET";
    next.body = undefined;
    for (const name of bodyHeaders) next.headers.delete(name);
  } else if (typeof exchange.body === "function") {
    throw new StepFailure("errored", `${what}: it redirects an upload that cannot be sent again`);
  }
  if (!isSameHost(exchange.url, url)) {
    const kept = next.body === undefined ? harmlessHeaders : [...harmlessHeaders, ...bodyHeaders];
    for (const name of [...next.headers.keys()]) if (!kept.includes(name)) next.headers.delete(name);
  }
  return next;
}

/** The same scheme, name and port, or the same name asked over TLS from now on. */
function isSameHost(from: URL, to: URL): boolean {
  if (from.origin === to.origin) return true;
  const isUpgrade =
    from.protocol === "http:" && to.protocol === "https:" && from.port === "" && to.port === "";
  return isUpgrade && from.hostname === to.hostname;
}

/** 303 always asks for a GET, 301 and 302 do so by custom; 307 and 308 repeat the request. */
function dropsBody(method: string, status: number): boolean {
  if (status === 303) return true;
  return (status === 301 || status === 302) && method !== "GET" && method !== "HEAD";
}
