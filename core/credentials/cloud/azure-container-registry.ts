import { readFile } from "node:fs/promises";
import { z } from "zod";
import type { CredentialProvider } from "#core/credentials/providers.ts";
import { createTokenCache } from "#core/credentials/token-cache.ts";
import { StepFailure } from "#core/failure.ts";
import type { Fetch } from "#core/step.ts";

const registryPattern = /^([a-zA-Z0-9-]+\.azurecr\.io)\//;
/** What Azure's registries call everybody who comes with a token. */
const username = "00000000-0000-0000-0000-000000000000";
const resource = "https://containerregistry.azure.net";
/** Tokens of the registries live for three hours, which their answers do not tell. */
const lifeMinutes = 155;

export interface AcrSettings {
  fetch: Fetch;
  now(): Date;
  env: Record<string, string | undefined>;
}

/**
 * Tokens of Azure's registries by who the daemon's machine is: its managed identity, or the workload identity
 * that AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE tell of.
 */
export function createAcrMachineProvider({ fetch, now, env }: AcrSettings): CredentialProvider {
  const tokens = createTokenCache<string>(now);
  return {
    supports: ({ type, repoURL }) => type !== "git" && registryPattern.test(repoURL),
    async get({ repoURL }) {
      const [, registry = ""] = registryPattern.exec(repoURL) ?? [];
      const password = await tokens.get([registry], async () => ({
        token: await exchange(fetch, registry, await machineToken(registry, env)),
        expiresAt: now().getTime() + lifeMinutes * 60_000,
      }));
      return { username, password };
    },
  };
}

async function machineToken(registry: string, env: AcrSettings["env"]): Promise<string> {
  try {
    const answer = env.AZURE_FEDERATED_TOKEN_FILE ? await workloadToken(env) : await managedToken(env);
    if (answer?.accessToken) return answer.accessToken;
    throw new Error("the answer holds no token");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure("errored", `Cannot get a token for "${registry}" as this machine: ${why}`, {
      cause: error,
    });
  }
}

async function managedToken({ AZURE_CLIENT_ID: id }: AcrSettings["env"]) {
  const { ManagedIdentityApplication } = await import("@azure/msal-node");
  const application = new ManagedIdentityApplication(
    id ? { managedIdentityIdParams: { userAssignedClientId: id } } : {},
  );
  return await application.acquireToken({ resource });
}

async function workloadToken(env: AcrSettings["env"]) {
  const { ConfidentialClientApplication } = await import("@azure/msal-node");
  const { AZURE_CLIENT_ID: clientId = "", AZURE_TENANT_ID: tenant = "" } = env;
  const authority = env.AZURE_AUTHORITY_HOST || "https://login.microsoftonline.com/";
  const application = new ConfidentialClientApplication({
    auth: {
      clientId,
      authority: new URL(tenant, authority).href,
      clientAssertion: async () => await readFile(env.AZURE_FEDERATED_TOKEN_FILE ?? "", "utf8"),
    },
  });
  return await application.acquireTokenByClientCredential({ scopes: [`${resource}/.default`] });
}

const ExchangeAnswer = z.object({ refresh_token: z.string().min(1) });

/** The registry's own token for one of Azure's directory. */
async function exchange(fetch: Fetch, registry: string, token: string): Promise<string> {
  const what = `Cannot get a token for "${registry}" as this machine`;
  const response = await fetch(`https://${registry}/oauth2/exchange`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "access_token", service: registry, access_token: token }),
  });
  if (!response.ok) {
    await response.body?.cancel();
    const kind = response.status >= 500 || response.status === 429 ? "transient" : "refused";
    throw new StepFailure(kind, `${what}: the registry answered ${response.status}`);
  }
  const answer = ExchangeAnswer.safeParse(await response.json().catch(() => undefined));
  if (answer.success) return answer.data.refresh_token;
  throw new StepFailure("errored", `${what}: the registry's answer holds no token`);
}
