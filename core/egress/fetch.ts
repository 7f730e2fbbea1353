import { STATUS_CODES } from "node:http";
import { Readable } from "node:stream";
import { type Dispatcher, request } from "undici";
import { boundBody } from "#core/egress/body.ts";
import { createDispatcher } from "#core/egress/dispatcher.ts";
import { networkFailure } from "#core/egress/network-failure.ts";
import type { EgressPolicy } from "#core/egress/policy.ts";
import { type Proxies, proxiesFrom } from "#core/egress/proxies.ts";
import { afterRedirect, type Exchange, isRedirect, maxRedirects } from "#core/egress/redirect.ts";
import { StepFailure } from "#core/failure.ts";
import type { Fetch, FetchOptions } from "#core/step.ts";

const defaultTimeoutSeconds = 30;
const defaultMaxBodyBytes = 10 * 1024 * 1024;
const longestTimerMilliseconds = 2 ** 31 - 1;

export interface FetchSettings {
  policy: EgressPolicy;
  /** Ends every exchange. */
  signal?: AbortSignal;
  /** The operator's, for what names none; those of the process's environment by default. */
  proxies?: Proxies;
}

/**
 * A fetch that reaches only what the policy allows, at every hop of a redirect too. Unlike the global one
 * it sends a body with any method. Throws StepFailures: "refused" by the rules, "transient" where the
 * network faltered; reading the body throws the same.
 */
export function createFetch({ policy, signal, proxies = proxiesFrom(process.env) }: FetchSettings): Fetch {
  return async (url, options = {}) => {
    const { timeoutSeconds = defaultTimeoutSeconds } = options;
    const timeout = AbortSignal.timeout(Math.min(timeoutSeconds * 1_000, longestTimerMilliseconds));
    const cancels = [signal, options.signal].filter((one) => one != null);
    const stop = AbortSignal.any([timeout, ...cancels]);
    const exchange = await firstExchange(url, options);
    const toFailure = (error: unknown) => {
      const cancelled = cancels.find((one) => one.aborted);
      if (cancelled) return cancelled.reason;
      return networkFailure(`${exchange.method} ${withoutSecrets(exchange.url)}`, error, {
        timedOutAfterSeconds: timeout.aborted ? timeoutSeconds : undefined,
      });
    };
    try {
      stop.throwIfAborted();
      return await follow({ policy, proxies }, exchange, options, stop, toFailure);
    } catch (error) {
      throw toFailure(error);
    }
  };
}

/** What decides where a request goes. */
interface Ways {
  policy: EgressPolicy;
  proxies: Proxies;
}

async function follow(
  ways: Ways,
  first: Exchange,
  options: FetchOptions,
  stop: AbortSignal,
  toFailure: (error: unknown) => unknown,
): Promise<Response> {
  let exchange = first;
  for (let redirects = 0; ; redirects += 1) {
    const { answer, close } = await send(ways, exchange, options, stop);
    const next = isRedirect(answer) ? afterRedirect(exchange, answer, options.redirect) : undefined;
    if (next === undefined) {
      return toResponse(exchange, answer, options, { close, toFailure, redirected: redirects > 0 });
    }
    answer.body.on("error", () => {}).destroy();
    close();
    if (redirects === maxRedirects) {
      throw new StepFailure(
        "errored",
        `Cannot ${first.method} "${withoutSecrets(first.url)}": it redirects more than ${maxRedirects} times`,
      );
    }
    exchange = next;
  }
}

function proxyOf(target: URL, options: FetchOptions, proxies: Proxies) {
  if (options.proxy) return { url: parseUrl(options.proxy, "proxy"), isOperators: false };
  const url = proxies.proxyFor(target);
  return url && { url, isOperators: true };
}

async function send({ policy, proxies }: Ways, exchange: Exchange, options: FetchOptions, stop: AbortSignal) {
  const creating = createDispatcher(policy, exchange.url, {
    insecureSkipTLSVerify: options.insecureSkipTLSVerify ?? false,
    caCertificates: options.caCertificates,
    proxy: proxyOf(exchange.url, options, proxies),
  });
  const dispatcher = await unlessStopped(creating, stop);
  const close = () => void dispatcher.destroy().catch(() => {});
  try {
    const answer = await request(exchange.url, {
      dispatcher,
      method: exchange.method as Dispatcher.HttpMethod,
      headers: Object.fromEntries(exchange.headers),
      body: typeof exchange.body === "function" ? Readable.fromWeb(exchange.body() as never) : exchange.body,
      signal: stop,
      // The signal ends the exchange; the dispatcher's own limits would only add a second, hidden one.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    return { answer, close };
  } catch (error) {
    close();
    throw error;
  }
}

/** A look-up of a name cannot be stopped; what comes of it late is of no interest. */
async function unlessStopped<T>(work: Promise<T>, stop: AbortSignal): Promise<T> {
  const { promise: stopped, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(stop.reason);
  stop.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    stop.removeEventListener("abort", onAbort);
  }
}

async function firstExchange(url: string | URL, options: FetchOptions): Promise<Exchange> {
  const target = parseUrl(url, "URL");
  const headers = new Headers(options.headers);
  if (!headers.has("user-agent")) headers.set("user-agent", "towpath");
  if (!headers.has("accept")) headers.set("accept", "*/*");
  if ((target.username || target.password) && !headers.has("authorization")) {
    const user = `${decodeURIComponent(target.username)}:${decodeURIComponent(target.password)}`;
    headers.set("authorization", `Basic ${Buffer.from(user).toString("base64")}`);
  }
  target.username = "";
  target.password = "";
  const { body, contentType } = await bodyOf(options);
  if (contentType !== null && !headers.has("content-type")) headers.set("content-type", contentType);
  return { url: target, method: (options.method ?? "GET").toUpperCase(), headers, body };
}

async function bodyOf({
  body,
}: FetchOptions): Promise<{ body: Exchange["body"]; contentType: string | null }> {
  if (body === undefined || body === null) return { body: undefined, contentType: null };
  if (body instanceof ReadableStream) return { body: () => body, contentType: null };
  const wrapped = new Response(body);
  // The global fetch calls a string text/plain; a program that says nothing here means to say nothing.
  const contentType = typeof body === "string" ? null : wrapped.headers.get("content-type");
  return { body: Buffer.from(await wrapped.arrayBuffer()), contentType };
}

interface Ending {
  close: () => void;
  toFailure: (error: unknown) => unknown;
  redirected: boolean;
}

const statusesWithoutBody = new Set([101, 103, 204, 205, 304]);

function toResponse(
  { method, url }: Exchange,
  answer: Dispatcher.ResponseData,
  { maxBodyBytes = defaultMaxBodyBytes }: FetchOptions,
  { close, toFailure, redirected }: Ending,
): Response {
  const headers = new Headers();
  for (const [name, value] of Object.entries(answer.headers)) {
    for (const one of [value ?? []].flat()) headers.append(name, one);
  }
  const hasBody = method !== "HEAD" && !statusesWithoutBody.has(answer.statusCode);
  if (!hasBody)
    answer.body
      .on("error", () => {})
      .resume()
      .on("close", close);
  const what = `the answer of "${withoutSecrets(url)}"`;
  const body = hasBody ? boundBody(answer.body, { what, maxBodyBytes, headers, close, toFailure }) : null;
  const response = new Response(body, {
    status: answer.statusCode,
    statusText: STATUS_CODES[answer.statusCode] ?? "",
    headers,
  });
  Object.defineProperties(response, { url: { value: url.href }, redirected: { value: redirected } });
  return response;
}

function parseUrl(text: string | URL, what: string): URL {
  const url = URL.parse(String(text));
  if (url === null) throw new StepFailure("refused", `Cannot read ${what} ${JSON.stringify(String(text))}`);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new StepFailure(
      "refused",
      `Cannot use ${what} "${url.protocol}//…": only http and https are allowed`,
    );
  }
  return url;
}

/** As much of a URL as may stand in a message: queries and user names often carry secrets. */
function withoutSecrets({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}
