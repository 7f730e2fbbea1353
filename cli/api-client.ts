import type { Connection } from "#cli/connection.ts";
import { readEvents, type ServerSentEvent } from "#cli/sse.ts";
import { UserError } from "#core/failure.ts";
import { version } from "#core/package.ts";

export interface RequestOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is, as YAML. */
  manifest?: string;
  query?: Record<string, string | undefined>;
  signal?: AbortSignal;
}

/** The daemon's API. What it refuses is thrown as a UserError with the server's own words. */
export interface ApiClient {
  readonly server: string;
  request<T>(path: string, options?: RequestOptions): Promise<T>;
  text(path: string, options?: RequestOptions): Promise<string>;
  /** The events of a stream until it ends or the signal is aborted. */
  events(path: string, options?: RequestOptions): AsyncGenerator<ServerSentEvent>;
}

export function createApiClient({ server, token }: Connection): ApiClient {
  const send = (path: string, options: RequestOptions) => sendRequest(server, token, path, options);
  return {
    server,
    async request<T>(path: string, options: RequestOptions = {}) {
      const response = await send(path, options);
      const text = await response.text();
      return (text === "" ? undefined : JSON.parse(text)) as T;
    },
    async text(path, options = {}) {
      return (await send(path, options)).text();
    },
    async *events(path, options = {}) {
      const response = await send(path, options);
      if (!response.body) return;
      try {
        yield* readEvents(response.body);
      } catch (error) {
        if (!options.signal?.aborted) throw error;
      }
    },
  };
}

/** Joins path segments, each escaped: names come from users. */
export function apiPath(...segments: readonly string[]): string {
  return `/v1beta1/${segments.map(encodeURIComponent).join("/")}`;
}

async function sendRequest(server: string, token: string, path: string, options: RequestOptions) {
  const url = new URL(server + path);
  for (const [name, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const response = await reach(url, {
    method: options.method ?? "GET",
    headers: {
      authorization: `Bearer ${token}`,
      "user-agent": `towpath/${version}`,
      ...contentType(options),
    },
    body: options.manifest ?? (options.body === undefined ? undefined : JSON.stringify(options.body)),
    signal: options.signal,
  });
  if (!response.ok) throw await refusal(response);
  return response;
}

function contentType(options: RequestOptions): Record<string, string> {
  if (options.manifest !== undefined) return { "content-type": "application/yaml" };
  return options.body === undefined ? {} : { "content-type": "application/json" };
}

async function reach(url: URL, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (cause) {
    if (init.signal?.aborted) throw cause;
    const reason =
      cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause);
    throw new UserError(`Cannot reach the daemon at ${url.origin}: ${reason}`, {
      cause,
      status: 503,
      hint: "start it with `towpath serve`, or name another with --server or TOWPATH_SERVER",
    });
  }
}

async function refusal(response: Response): Promise<UserError> {
  const { error, hint } = told(await response.text());
  const aboutToken = "check --token or TOWPATH_TOKEN: it must be this daemon's token";
  return new UserError(error ?? `The daemon answered ${response.status} ${response.statusText}`, {
    status: response.status,
    hint: hint ?? (response.status === 401 ? aboutToken : undefined),
  });
}

/** What an answer says went wrong: the daemon's JSON, or as much of a proxy's page as a line can hold. */
function told(text: string): { error?: string; hint?: string } {
  try {
    const { error, hint } = Object(JSON.parse(text)) as { error?: unknown; hint?: unknown };
    return {
      ...(typeof error === "string" && { error }),
      ...(typeof hint === "string" && { hint }),
    };
  } catch {
    return text.trim() === "" ? {} : { error: text.trim().slice(0, 500) };
  }
}
