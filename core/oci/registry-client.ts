import type { Credentials } from "#core/credentials/credentials.ts";
import { StepFailure } from "#core/failure.ts";
import type { Access, Authorizer } from "#core/oci/authorizer.ts";
import { createAuthorizer, refusalOf } from "#core/oci/authorizer.ts";
import type { BudgetLimits, RequestBudget } from "#core/oci/budget.ts";
import { askedPauseSeconds, createRequestBudget } from "#core/oci/budget.ts";
import { parseImageRepository } from "#core/oci/image-url.ts";
import { isNotTls, isThisMachine, mayUsePlainHttp } from "#core/oci/scheme.ts";
import type { Fetch } from "#core/step.ts";

export interface RepositoryAccess {
  credentials?: Credentials | undefined;
  insecureSkipTLSVerify?: boolean | undefined;
  /** Asks for the right to write, too. */
  push?: boolean | undefined;
  /** A repository of the same registry that blobs are to be taken over from, without the registry's name. */
  mountFrom?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** A request of a session. */
export interface RegistryRequest {
  method?: "GET" | "HEAD" | "POST" | "PUT";
  accept?: string;
  contentType?: string;
  /** A stream cannot be sent twice: another request has to have shown before that the credentials are good. */
  body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  /** Of a stream. */
  contentLength?: number;
  /** Of the whole exchange; 30 by default. */
  timeoutSeconds?: number;
  /** Longer answers fail; 10 MiB by default. */
  maxBodyBytes?: number;
}

/** Sends authenticated requests about one repository of one registry. */
export interface RegistrySession {
  /** For messages: as the repository was asked for. */
  readonly name: string;
  /**
   * `path` follows `/v2/<repository>`; a whole URL must be the registry's own. Answers 2xx and 404 are
   * returned, everything else is thrown as a StepFailure: "refused" for 401 and 403, "transient" for 429
   * and 5xx.
   */
  send(path: string, request?: RegistryRequest): Promise<Response>;
}

/** All registries together: one budget for each, tokens kept, schemes remembered. One of it serves the daemon. */
export interface RegistryClient {
  session(repoURL: string, access?: RepositoryAccess): RegistrySession;
}

export interface RegistryClientSettings {
  fetch: Fetch;
  limits?: Partial<BudgetLimits>;
  now?: () => number;
}

interface Shared {
  fetch: Fetch;
  now: () => number;
  authorizer: Authorizer;
  budget(registry: string): RequestBudget;
  /** Registries found to know no TLS. */
  plainHttp: Set<string>;
}

export function createRegistryClient({
  fetch,
  limits = {},
  now = Date.now,
}: RegistryClientSettings): RegistryClient {
  const budgets = new Map<string, RequestBudget>();
  const shared: Shared = {
    fetch,
    now,
    authorizer: createAuthorizer(fetch, now),
    budget(registry) {
      const budget = budgets.get(registry) ?? createRequestBudget(registry, limits, now);
      budgets.set(registry, budget);
      return budget;
    },
    plainHttp: new Set(),
  };
  return {
    session(repoURL, access = {}) {
      const parsed = parseImageRepository(repoURL);
      if (parsed === undefined) {
        throw new StepFailure("config", `"${repoURL}" is not the address of an image repository`);
      }
      const { registry: host, repository } = parsed;
      return {
        name: repoURL,
        send: (path, init) => sendTo(shared, { host, repository, ...access }, path, init),
      };
    },
  };
}

interface Target extends RepositoryAccess {
  host: string;
  repository: string;
}

async function sendTo(
  shared: Shared,
  target: Target,
  path: string,
  init: RegistryRequest = {},
): Promise<Response> {
  const { host } = target;
  if (shared.plainHttp.has(host)) return sendOver(shared, target, "http", path, init);
  try {
    return await sendOver(shared, target, "https", path, init);
  } catch (error) {
    if (!mayUsePlainHttp(host) || !isNotTls(error)) throw error;
    const response = await sendOver(shared, target, "http", path, init);
    shared.plainHttp.add(host);
    return response;
  }
}

async function sendOver(
  shared: Shared,
  target: Target,
  scheme: "http" | "https",
  path: string,
  init: RegistryRequest,
): Promise<Response> {
  const origin = `${scheme}://${target.host}`;
  if (scheme === "http") keepSecret(target);
  const url = ownUrl(origin, target.repository, path);
  const access: Access = {
    origin,
    repository: target.repository,
    credentials: target.credentials,
    insecureSkipTLSVerify: target.insecureSkipTLSVerify ?? false,
    push: target.push ?? false,
    mountFrom: target.mountFrom,
    signal: target.signal,
  };
  const { authorizer } = shared;
  const first = await exchange(shared, target, url, init, authorizer.known(access));
  const isSentOnce = init.body instanceof ReadableStream;
  if (first.status !== 401 || isSentOnce) return checked(target, url, first, init);
  const authorization = await shared
    .budget(target.host)
    .spend(() => authorizer.answer(access, first), target.signal);
  await first.body?.cancel();
  if (authorization === undefined) return checked(target, url, first, init);
  return checked(target, url, await exchange(shared, target, url, init, authorization), init);
}

/** On the way to another machine a password in plain HTTP is everybody's. */
function keepSecret({ host, credentials }: Target): void {
  if (credentials === undefined || credentials.overPlainHttp || isThisMachine(host)) return;
  throw new StepFailure(
    "refused",
    `Registry "${host}" knows no TLS, and credentials are not sent to it in plain HTTP unless the operator ` +
      "sets ALLOW_CREDENTIALS_OVER_HTTP=true",
  );
}

/** Credentials go along with every request, so a link to another server is not followed. */
function ownUrl(origin: string, repository: string, path: string): URL {
  const url = new URL(path.startsWith("/") ? `${origin}/v2/${repository}${path}` : path, origin);
  if (url.origin === new URL(origin).origin) return url;
  throw new StepFailure("refused", `Registry "${origin}" links to another server, ${url.origin}`);
}

async function exchange(
  { fetch, now, budget }: Shared,
  { host, insecureSkipTLSVerify = false, signal }: Target,
  url: URL,
  request: RegistryRequest,
  authorization: string | undefined,
): Promise<Response> {
  const { method = "GET", accept, contentType, contentLength, body = null, ...bounds } = request;
  const headers = {
    ...(accept === undefined ? {} : { accept }),
    ...(contentType === undefined ? {} : { "content-type": contentType }),
    ...(contentLength === undefined ? {} : { "content-length": String(contentLength) }),
    ...(authorization === undefined ? {} : { authorization }),
  };
  const ownBudget = budget(host);
  const response = await ownBudget.spend(
    () => fetch(url, { method, headers, body, ...bounds, insecureSkipTLSVerify, signal: signal ?? null }),
    signal,
  );
  const pauseSeconds = askedPauseSeconds(response, now());
  if (pauseSeconds !== undefined) ownBudget.pauseUntil(now() + pauseSeconds * 1000);
  return response;
}

async function checked(
  target: Target,
  url: URL,
  response: Response,
  { method = "GET" }: RegistryRequest,
): Promise<Response> {
  if (response.ok || response.status === 404) return response;
  const code = await errorCode(response);
  const verb = method === "GET" || method === "HEAD" ? "read" : "write to";
  const what = `Cannot ${verb} "${target.repository}" of registry "${target.host}"`;
  switch (response.status) {
    case 401:
    case 403:
      throw new StepFailure("refused", `${what}: ${refusalOf(target.credentials)}${code}`);
    case 429:
      throw new StepFailure("transient", `${what}: it was asked too often${code}`);
    default: {
      const kind = response.status >= 500 ? "transient" : "errored";
      const message = `${what}: it answered ${response.status} to ${url.pathname}${code}`;
      throw new StepFailure(kind, message, { output: { status: response.status } });
    }
  }
}

/** The first error code of a registry's answer, as ` (DENIED)`. Its texts are left out: they may hold anything. */
async function errorCode(response: Response): Promise<string> {
  try {
    const { errors } = (await response.json()) as { errors?: { code?: unknown }[] };
    const code = errors?.[0]?.code;
    return typeof code === "string" && /^[A-Z_]{1,40}$/.test(code) ? ` (${code})` : "";
  } catch {
    return "";
  }
}
