import type { Credentials } from "#core/credentials/credentials.ts";
import type { CredentialProvider } from "#core/credentials/providers.ts";
import { createTokenCache, type Minted } from "#core/credentials/token-cache.ts";
import { sdkHandler } from "#core/egress/aws-handler.ts";
import { StepFailure } from "#core/failure.ts";
import type { Fetch } from "#core/step.ts";

/** Account and region of a registry's address. */
const registryPattern = /^([0-9]{12})\.dkr\.ecr\.([\w.-]+)\.amazonaws\.com\//;
/** Tokens live for twelve hours; taken for those whose end nobody tells. */
const usualHours = 10;
/** How long it is believed that nobody may enter. */
const refusalMinutes = 10;

export interface EcrSettings {
  fetch: Fetch;
  now(): Date;
}

/** Who to be: AWS's own shape of it. */
type Identity = () => Promise<{ accessKeyId: string; secretAccessKey: string; sessionToken?: string }>;

/** Tokens of Amazon's registries by an access key: `awsRegion`, `awsAccessKeyID` and `awsSecretAccessKey` of a Secret. */
export function createEcrKeyProvider({ fetch, now }: EcrSettings): CredentialProvider {
  const tokens = createTokenCache<Credentials>(now);
  return {
    supports: ({ type, repoURL, data }) =>
      type !== "git" &&
      registryPattern.test(repoURL) &&
      data.awsRegion !== undefined &&
      data.awsAccessKeyID !== undefined &&
      data.awsSecretAccessKey !== undefined,

    async get({ data: { awsRegion = "", awsAccessKeyID = "", awsSecretAccessKey = "" } }) {
      return await tokens.get([awsRegion, awsAccessKeyID, awsSecretAccessKey], async () => {
        const identity = { accessKeyId: awsAccessKeyID, secretAccessKey: awsSecretAccessKey };
        try {
          return await askForToken({ fetch, now }, awsRegion, async () => identity);
        } catch (error) {
          throw failureOf(`Cannot get a token for ECR in "${awsRegion}" by the access key`, error);
        }
      });
    },
  };
}

/**
 * Tokens of Amazon's registries by who the daemon's machine is: as the project's own role in the registry's
 * account, then in the machine's, where there is one, and otherwise as the machine itself.
 */
export function createEcrMachineProvider({ fetch, now }: EcrSettings): CredentialProvider {
  const tokens = createTokenCache<Credentials | undefined>(now);
  const accounts = createTokenCache<string>(now);

  async function mint(account: string, region: string, project: string) {
    const { defaultProvider } = await import("@aws-sdk/credential-provider-node");
    const machine: Identity = defaultProvider();
    const own = await accounts.get([], async () => ({
      token: await askForAccount(fetch, region, machine),
      expiresAt: Number.POSITIVE_INFINITY,
    }));
    const identities = [
      ...[...new Set([account, own])].map(
        (owner) => () => projectRole(fetch, region, machine, owner, project),
      ),
      machine,
    ];
    for (const identity of identities) {
      try {
        return await askForToken({ fetch, now }, region, identity);
      } catch (error) {
        if (statusOf(error) !== 403) throw error;
      }
    }
    // That none of them may enter is what the account's administrators want.
    return { token: undefined, expiresAt: now().getTime() + refusalMinutes * 60_000 };
  }

  return {
    supports: ({ type, repoURL }) => type !== "git" && registryPattern.test(repoURL),
    async get({ repoURL, project }) {
      const [, account = "", region = ""] = registryPattern.exec(repoURL) ?? [];
      return await tokens.get([account, region, project], () =>
        mint(account, region, project).catch((error) => {
          throw failureOf(`Cannot get a token for ECR in "${region}" as this machine`, error);
        }),
      );
    },
  };
}

async function askForToken(
  { fetch, now }: EcrSettings,
  region: string,
  credentials: Identity,
): Promise<Minted<Credentials>> {
  const { ECRClient, GetAuthorizationTokenCommand } = await import("@aws-sdk/client-ecr");
  const client = new ECRClient({ region, credentials, requestHandler: handler(fetch) });
  const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}));
  const { authorizationToken = "", expiresAt } = authorizationData?.[0] ?? {};
  const [username = "", ...password] = Buffer.from(authorizationToken, "base64").toString().split(":");
  if (username === "" || password.length === 0) throw new Error("the answer holds no token");
  return {
    token: { username, password: password.join(":") },
    expiresAt: (expiresAt?.getTime() ?? 0) || now().getTime() + usualHours * 3_600_000,
  };
}

async function askForAccount(fetch: Fetch, region: string, credentials: Identity): Promise<string> {
  const { GetCallerIdentityCommand, STSClient } = await import("@aws-sdk/client-sts");
  const client = new STSClient({ region, credentials, requestHandler: handler(fetch) });
  const { Account = "" } = await client.send(new GetCallerIdentityCommand({}));
  return Account;
}

/** The names are those that Kargo's guide has administrators set up. */
async function projectRole(
  fetch: Fetch,
  region: string,
  credentials: Identity,
  account: string,
  project: string,
): ReturnType<Identity> {
  const { AssumeRoleCommand, STSClient } = await import("@aws-sdk/client-sts");
  const client = new STSClient({ region, credentials, requestHandler: handler(fetch) });
  const { Credentials: given } = await client.send(
    new AssumeRoleCommand({
      RoleArn: `arn:aws:iam::${account}:role/kargo-project-${project}`,
      ExternalId: `kargo-project-${project}`,
      RoleSessionName: "towpath",
    }),
  );
  return {
    accessKeyId: given?.AccessKeyId ?? "",
    secretAccessKey: given?.SecretAccessKey ?? "",
    ...(given?.SessionToken === undefined ? {} : { sessionToken: given.SessionToken }),
  };
}

function handler(fetch: Fetch) {
  return sdkHandler({ fetch, timeoutSeconds: 30 });
}

function statusOf(error: unknown): number | undefined {
  return (error as { $metadata?: { httpStatusCode?: number } } | undefined)?.$metadata?.httpStatusCode;
}

/** AWS's own words are left out but for the name of the error: they quote what was sent. */
function failureOf(what: string, error: unknown): Error {
  if (error instanceof StepFailure) return error;
  const status = statusOf(error);
  const why = error instanceof Error ? (status === undefined ? error.message : error.name) : String(error);
  const kind = status === undefined ? "errored" : status >= 500 || status === 429 ? "transient" : "refused";
  return new StepFailure(kind, `${what}: ${why}`, { cause: error });
}
