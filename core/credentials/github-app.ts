import { createPrivateKey, sign } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import type { Credentials } from "#core/credentials/credentials.ts";
import type { CredentialProvider, CredentialRequest } from "#core/credentials/providers.ts";
import { createTokenCache, type Minted } from "#core/credentials/token-cache.ts";
import type { Fetch } from "#core/step.ts";

export interface GitHubAppSettings {
  fetch: Fetch;
  now(): Date;
  /** Waits before a fresh token is tried again: GitHub takes a while to know its own tokens. */
  validationSeconds?: readonly number[];
}

/** GitHub takes any user name beside a token. */
const username = "kargo";
/** Only for the GitHub project: which repositories each project may use, as `{"project": ["repo"]}`. */
const scopesAnnotation = "kargo.akuity.io/github-token-scopes";

const TokenAnswer = z.object({ token: z.string().min(1), expires_at: z.string().optional() });
const Scopes = z.record(z.string(), z.array(z.string()));

/**
 * Credentials of a GitHub App: a token of its installation for the one repository that is asked for. Tokens
 * are kept in memory until shortly before they run out; those who ask at the same time share one.
 */
export function createGitHubAppProvider(settings: GitHubAppSettings): CredentialProvider {
  const tokens = createTokenCache<string>(settings.now);

  return {
    supports: ({ type, repoURL, data }) =>
      type === "git" &&
      /^https?:\/\//.test(repoURL) &&
      Boolean(data.githubAppClientID || data.githubAppID) &&
      Boolean(data.githubAppInstallationID && data.githubAppPrivateKey),

    async get(request): Promise<Credentials | undefined> {
      const app = appOf(request);
      if (app === undefined || !isInScope(request, app.repository)) return undefined;
      const password = await tokens.get([JSON.stringify(app)], () => mint(settings, app));
      return { username, password };
    },
  };
}

interface App {
  /** Client id, or the older numeric id. */
  id: string;
  installation: string;
  /** PEM. */
  privateKey: string;
  api: string;
  owner: string;
  repository: string;
}

/** Undefined when the address is none of a repository. */
function appOf({ repoURL, data }: CredentialRequest): App | undefined {
  const { protocol, host, pathname } = new URL(repoURL);
  const [owner, repository] = pathname.split("/").filter(Boolean).slice(-2);
  if (owner === undefined || repository === undefined) return undefined;
  const installation = data.githubAppInstallationID ?? "";
  if (!/^\d+$/.test(installation)) {
    throw new Error(
      `Cannot use the GitHub App for "${repoURL}": its installation ID "${installation}" is no number`,
    );
  }
  return {
    id: data.githubAppClientID || data.githubAppID || "",
    installation,
    privateKey: decodeKey(data.githubAppPrivateKey ?? ""),
    api: host === "github.com" ? "https://api.github.com" : `${protocol}//${host}/api/v3`,
    owner,
    repository,
  };
}

function isInScope({ annotations, project }: CredentialRequest, repository: string): boolean {
  const written = annotations[scopesAnnotation];
  if (!written) return true;
  try {
    return Scopes.parse(JSON.parse(written))[project]?.includes(repository) ?? false;
  } catch (error) {
    throw new Error(`Cannot read the annotation ${scopesAnnotation}: expected {"project": ["repository"]}`, {
      cause: error,
    });
  }
}

/** Keys were once to be given in base64, and still may be. */
function decodeKey(key: string): string {
  return key.includes("-----BEGIN") ? key : Buffer.from(key, "base64").toString();
}

async function mint(settings: GitHubAppSettings, app: App): Promise<Minted<string>> {
  const { fetch, now } = settings;
  const what = `Cannot get a GitHub App token for "${app.owner}/${app.repository}"`;
  const response = await fetch(`${app.api}/app/installations/${app.installation}/access_tokens`, {
    method: "POST",
    headers: headers(signJwt(app, now(), what)),
    body: JSON.stringify({ repositories: [app.repository] }),
  });
  if (!response.ok) throw new Error(`${what}: GitHub answered ${response.status}`);
  const answer = TokenAnswer.safeParse(await response.json());
  if (!answer.success) throw new Error(`${what}: GitHub's answer has no token`);
  const { token, expires_at: expiresAt } = answer.data;
  await waitUntilUsable(settings, app, token);
  return { token, expiresAt: Date.parse(expiresAt ?? "") || now().getTime() + 45 * 60_000 };
}

/** A token that is still not known after the last wait is handed out all the same: it may be by then. */
async function waitUntilUsable(settings: GitHubAppSettings, app: App, token: string): Promise<void> {
  const { fetch, validationSeconds = [3, 10, 30] } = settings;
  const isUsable = async () => {
    const options = { headers: headers(token), timeoutSeconds: 10 };
    const response = await fetch(`${app.api}/repos/${app.owner}/${app.repository}`, options).catch(
      () => undefined,
    );
    await response?.body?.cancel();
    return response?.ok === true;
  };
  for (const seconds of validationSeconds) {
    if (await isUsable()) return;
    await sleep(seconds * 1000);
  }
}

function headers(token: string): Record<string, string> {
  return {
    accept: "application/vnd.github+json",
    authorization: `Bearer ${token}`,
    "content-type": "application/json",
    "user-agent": "towpath",
  };
}

/** GitHub takes a lifetime of ten minutes at most, and clocks that differ by a minute. */
function signJwt({ id, privateKey }: App, now: Date, what: string): string {
  const seconds = Math.floor(now.getTime() / 1000);
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iat: seconds - 60, exp: seconds + 540, iss: id };
  const signed = `${encode({ alg: "RS256", typ: "JWT" })}.${encode(claims)}`;
  try {
    const signature = sign("RSA-SHA256", Buffer.from(signed), createPrivateKey(privateKey));
    return `${signed}.${signature.toString("base64url")}`;
  } catch (error) {
    throw new Error(`${what}: its private key is no RSA key in PEM`, { cause: error });
  }
}
