import { createHash } from "node:crypto";
import { createBoundedMap } from "#core/bounded-map.ts";
import { type Credentials, identityTokenUser } from "#core/credentials/credentials.ts";
import { StepFailure } from "#core/failure.ts";
import type { Challenge } from "#core/oci/challenge.ts";
import { parseChallenges } from "#core/oci/challenge.ts";
import type { Fetch } from "#core/step.ts";

/** For whom and what a header is to be found. */
export interface Access {
  /** Scheme, host and port of the registry. */
  origin: string;
  repository: string;
  credentials: Credentials | undefined;
  insecureSkipTLSVerify: boolean;
  /** What is to be done there; a token for one is not good for the other. */
  push?: boolean;
  /** A repository of the same registry that blobs are to be taken over from. */
  mountFrom?: string | undefined;
  signal: AbortSignal | undefined;
}

/** Knows how to authenticate to registries, and keeps tokens until shortly before they end. */
export interface Authorizer {
  /** The Authorization header that last worked for this access. */
  known(access: Access): string | undefined;
  /** The header that answers a 401's challenge; undefined when there is nothing to answer with. */
  answer(access: Access, response: Response): Promise<string | undefined>;
}

interface KnownHeader {
  value: string;
  /** Milliseconds since the epoch. */
  until: number;
}

const maxKnown = 10_000;

export function createAuthorizer(fetch: Fetch, now: () => number = Date.now): Authorizer {
  const headers = createBoundedMap<KnownHeader>(maxKnown);

  function remember(access: Access, value: string, seconds: number): string {
    headers.set(keyOf(access), { value, until: now() + seconds * 1000 });
    return value;
  }

  return {
    known(access) {
      const known = headers.get(keyOf(access));
      return known !== undefined && known.until > now() ? known.value : undefined;
    },
    async answer(access, response) {
      headers.delete(keyOf(access));
      const challenges = parseChallenges(response.headers.get("www-authenticate") ?? "");
      const bearer = challenges.find(({ scheme }) => scheme === "bearer");
      if (bearer !== undefined) {
        const { token, seconds } = await fetchToken(fetch, access, bearer);
        // Renewed ahead of its end, so that no request meets a token that ends on the way.
        return remember(access, `Bearer ${token}`, Math.max(1, seconds * 0.9 - 5));
      }
      const basic = basicHeader(access.credentials);
      const offersBasic = challenges.some(({ scheme }) => scheme === "basic");
      return offersBasic && basic !== undefined ? remember(access, basic, 3600) : undefined;
    },
  };
}

function keyOf({ origin, repository, credentials, push = false, mountFrom = "" }: Access): string {
  return JSON.stringify([origin, repository, credentialsKey(credentials), push, mountFrom]);
}

/** Tells credentials apart without keeping them. */
export function credentialsKey(credentials: Credentials | undefined): string {
  if (credentials === undefined) return "";
  const { username = "", password = "" } = credentials;
  return createHash("sha256")
    .update(JSON.stringify([username, password]))
    .digest("base64");
}

function basicHeader(credentials: Credentials | undefined): string | undefined {
  if (credentials?.password === undefined) return undefined;
  const { username = "", password } = credentials;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function fetchToken(
  fetch: Fetch,
  access: Access,
  challenge: Challenge,
): Promise<{ token: string; seconds: number }> {
  const url = tokenUrl(access, challenge);
  const response = await fetch(url, {
    ...tokenRequest(url, access.credentials),
    insecureSkipTLSVerify: access.insecureSkipTLSVerify,
    signal: access.signal ?? null,
  });
  const what = `Cannot get a token for "${access.repository}" from "${url.origin}${url.pathname}"`;
  if (!response.ok) {
    await response.body?.cancel();
    const isBusy = response.status === 429 || response.status >= 500;
    const wrong = response.status === 401 || response.status === 403;
    const why = wrong ? refusalOf(access.credentials) : `it answered ${response.status}`;
    throw new StepFailure(isBusy ? "transient" : wrong ? "refused" : "errored", `${what}: ${why}`);
  }
  const answer = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const token = answer.token ?? answer.access_token;
  if (typeof token !== "string" || token === "") {
    throw new StepFailure("errored", `${what}: the answer holds no token`);
  }
  return { token, seconds: typeof answer.expires_in === "number" ? answer.expires_in : 60 };
}

/** A password goes along as it is; an identity token is exchanged by OAuth 2, for which the query becomes a form. */
function tokenRequest(url: URL, credentials: Credentials | undefined): RequestInit {
  if (credentials?.username === identityTokenUser && credentials.password !== undefined) {
    const form = new URLSearchParams({ grant_type: "refresh_token", client_id: "towpath" });
    form.set("service", url.searchParams.get("service") ?? "");
    form.set("scope", url.searchParams.getAll("scope").join(" "));
    form.set("refresh_token", credentials.password);
    url.search = "";
    return { method: "POST", body: form };
  }
  const authorization = basicHeader(credentials);
  return authorization === undefined ? {} : { headers: { authorization } };
}

/** What a refusal means for those who configure credentials. */
export function refusalOf(credentials: Credentials | undefined): string {
  return credentials === undefined
    ? "it wants credentials, and none are configured for this repository, if there is one"
    : "it refused the configured credentials";
}

/** Where a token is to be had. A realm in plain HTTP is refused to a registry that is spoken to over TLS. */
function tokenUrl({ origin, repository, push, mountFrom }: Access, { parameters }: Challenge): URL {
  const url = URL.parse(parameters.realm ?? "", origin);
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && origin.startsWith("http:"));
  if (url === null || !isSafe) {
    throw new StepFailure("refused", `Registry "${origin}" names no usable realm for tokens`);
  }
  url.username = "";
  url.password = "";
  if (parameters.service !== undefined) url.searchParams.set("service", parameters.service);
  const own = push ? `repository:${repository}:pull,push` : parameters.scope;
  url.searchParams.set("scope", own || `repository:${repository}:pull`);
  if (mountFrom !== undefined) url.searchParams.append("scope", `repository:${mountFrom}:pull`);
  return url;
}
