import { z } from "zod";
import type { Credentials } from "#core/credentials/credentials.ts";
import type { CredentialProvider } from "#core/credentials/providers.ts";
import { createTokenCache, type Minted } from "#core/credentials/token-cache.ts";
import { StepFailure } from "#core/failure.ts";
import type { Fetch } from "#core/step.ts";

/** Of the host alone: what comes after the first slash is for whoever has the registry to choose. */
const registryPattern = /^(([\w.-]+\.)?gcr\.io|[\w.-]+-docker\.pkg\.dev)\//;
const username = "oauth2accesstoken";
/** Tokens live for an hour; taken for those whose end nobody tells. */
const usualMinutes = 45;
/** How long it is believed that a project has no account of its own. */
const withoutAccountHours = 12;
const readScope = "https://www.googleapis.com/auth/devstorage.read_only";
const cloudScope = "https://www.googleapis.com/auth/cloud-platform";

export interface GarSettings {
  fetch: Fetch;
  now(): Date;
}

const ServiceAccountKey = z.object({ client_email: z.string().min(1), private_key: z.string().min(1) });

/** Tokens of Google's registries by a service account's key: `gcpServiceAccountKey` of a Secret, in base64. */
export function createGarKeyProvider({ fetch, now }: GarSettings): CredentialProvider {
  const tokens = createTokenCache<string>(now);
  return {
    supports: ({ type, repoURL, data }) =>
      type !== "git" && registryPattern.test(repoURL) && data.gcpServiceAccountKey !== undefined,

    async get({ data: { gcpServiceAccountKey: key = "" } }) {
      return login(await tokens.get([key], () => signIn({ fetch, now }, key)));
    },
  };
}

/**
 * Tokens of Google's registries by who the daemon's machine is: as the project's own service account in the
 * machine's Google project where there is one, and otherwise as the machine itself.
 */
export function createGarMachineProvider({ fetch, now }: GarSettings): CredentialProvider {
  const tokens = createTokenCache<string | undefined>(now);
  let machine: ReturnType<typeof openMachine> | undefined;

  async function openMachine() {
    const { GoogleAuth } = await import("google-auth-library");
    return new GoogleAuth({ scopes: cloudScope });
  }

  async function machineToken(): Promise<string> {
    machine ??= openMachine();
    const token = await (await machine).getAccessToken().catch((error) => {
      throw failureOf("Cannot get a token for Google's registries as this machine", error);
    });
    if (token) return token;
    throw new StepFailure(
      "errored",
      "Cannot get a token for Google's registries as this machine: there is none",
    );
  }

  /** Undefined when the project has no account that the machine may act as. */
  async function mintForProject(project: string): Promise<Minted<string | undefined>> {
    machine ??= openMachine();
    const googleProject = await (await machine).getProjectId().catch(() => "");
    const account = `kargo-project-${project}@${googleProject}.iam.gserviceaccount.com`;
    const url = `https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/${account}:generateAccessToken`;
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization: `Bearer ${await machineToken()}`, "content-type": "application/json" },
      body: JSON.stringify({ scope: [cloudScope] }),
    });
    if (response.ok) return readToken(await response.json(), now());
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 429) {
      const what = `Cannot get a token for Google's registries as "${account}"`;
      throw new StepFailure("transient", `${what}: Google answered ${response.status}`);
    }
    return { token: undefined, expiresAt: now().getTime() + withoutAccountHours * 3_600_000 };
  }

  return {
    supports: ({ type, repoURL }) => type !== "git" && registryPattern.test(repoURL),
    async get({ project }) {
      return login((await tokens.get([project], () => mintForProject(project))) ?? (await machineToken()));
    },
  };
}

function login(password: string): Credentials {
  return { username, password };
}

async function signIn({ fetch, now }: GarSettings, encodedKey: string): Promise<Minted<string>> {
  const what = "Cannot get a token for Google's registries by the service account's key";
  const key = readKey(what, encodedKey);
  const { gaxios, JWT } = await import("google-auth-library");
  const transporter = new gaxios.Gaxios({ fetchImplementation: fetch as typeof globalThis.fetch });
  const client = new JWT({ email: key.client_email, key: key.private_key, scopes: readScope, transporter });
  try {
    const { access_token: token, expiry_date: expiresAt } = await client.authorize();
    if (!token) throw new Error("the answer holds no token");
    return { token, expiresAt: expiresAt ?? now().getTime() + usualMinutes * 60_000 };
  } catch (error) {
    throw failureOf(what, error);
  }
}

function readKey(what: string, encoded: string): z.infer<typeof ServiceAccountKey> {
  try {
    return ServiceAccountKey.parse(JSON.parse(Buffer.from(encoded, "base64").toString()));
  } catch {
    throw new StepFailure("refused", `${what}: gcpServiceAccountKey is no such key as JSON in base64`);
  }
}

const GeneratedToken = z.object({ accessToken: z.string().min(1), expireTime: z.string().optional() });

function readToken(answer: unknown, now: Date): Minted<string> {
  const { accessToken: token, expireTime = "" } = GeneratedToken.parse(answer);
  return { token, expiresAt: Date.parse(expireTime) || now.getTime() + usualMinutes * 60_000 };
}

/** Google's own words are left out but for the status: they may quote what was sent. */
function failureOf(what: string, error: unknown): StepFailure {
  const cause = error instanceof Error && error.cause instanceof StepFailure ? error.cause : error;
  if (cause instanceof StepFailure) return cause;
  const status = (error as { response?: { status?: number } }).response?.status;
  if (status === undefined) {
    return new StepFailure("errored", `${what}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
  const kind = status >= 500 || status === 429 ? "transient" : "refused";
  return new StepFailure(kind, `${what}: Google answered ${status}`, { cause: error });
}
