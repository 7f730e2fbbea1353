import { RE2JS } from "re2js";
import type { CredentialSource, Credentials, CredentialType } from "#core/credentials/credentials.ts";
import type { Masker } from "#core/credentials/masker.ts";
import { builtinProviders, type CredentialProvider } from "#core/credentials/providers.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Store } from "#core/store/store.ts";

const credentialTypeLabel = "kargo.akuity.io/cred-type";

/** A user name of at least this length is masked too: some servers take the token in its place. */
const tokenLength = 16;

export interface CredentialSettings {
  /** The project whose credentials serve all projects. */
  sharedProject?: string;
  /** Hands out credentials for servers that are spoken to in plain HTTP, where anybody on the way can read them. */
  allowHttp?: boolean;
  providers?: readonly CredentialProvider[];
}

/**
 * Finds credentials among the store's Secrets that carry the label `kargo.akuity.io/cred-type`: those of
 * the project before the shared ones, exact addresses before patterns, and then in the order of names.
 */
export function credentialsFromStore(
  store: Store,
  project: string,
  masker: Masker,
  settings: CredentialSettings = {},
): CredentialSource {
  const {
    sharedProject = "kargo-shared-resources",
    allowHttp = false,
    providers = builtinProviders,
  } = settings;

  async function findSecret(type: CredentialType, repoURL: string): Promise<Resource | undefined> {
    for (const owner of [project, sharedProject]) {
      const secrets = await store.list({
        kind: "Secret",
        project: owner,
        labels: { [credentialTypeLabel]: type },
      });
      const found = matchSecret(secrets, type, repoURL);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  return {
    async find(type, repoURL) {
      if (!allowHttp && /^\s*http:\/\//i.test(repoURL)) return undefined;
      const secret = await findSecret(type, repoURL);
      const request = {
        project,
        type,
        repoURL: normalize(type, repoURL),
        data: secret === undefined ? {} : secretValues(secret),
        annotations: secret?.metadata.annotations ?? {},
      };
      const credentials = await providers.find((provider) => provider.supports(request))?.get(request);
      if (credentials === undefined) return undefined;
      addToMasker(masker, credentials);
      return allowHttp ? { ...credentials, overPlainHttp: true } : credentials;
    },
  };
}

/** False for credentials of repositories that this is none of; true for all other Secrets. */
export function maySee(secret: Resource, type: CredentialType, repoURL: string): boolean {
  const own = secret.metadata.labels?.[credentialTypeLabel];
  const isOfRepositories = own === "git" || own === "helm" || own === "image";
  return !isOfRepositories || (own === type && matchSecret([secret], type, repoURL) !== undefined);
}

function matchSecret(
  secrets: readonly Resource[],
  type: CredentialType,
  repoURL: string,
): Resource | undefined {
  const normalized = normalize(type, repoURL);
  const candidates = secrets
    .map((secret) => ({ secret, ...addressOf(secret) }))
    .sort((a, b) => (a.secret.metadata.name < b.secret.metadata.name ? -1 : 1));
  const exact = candidates.find(
    ({ address, isPattern }) =>
      address !== undefined && !isPattern && normalize(type, address) === normalized,
  );
  // A pattern cannot be brought into the canonical form, so it may be written for either.
  const byPattern = () =>
    candidates.find(
      ({ address, isPattern }) =>
        address !== undefined && isPattern && (matches(address, repoURL) || matches(address, normalized)),
    );
  return (exact ?? byPattern())?.secret;
}

function addressOf(secret: Resource): { address: string | undefined; isPattern: boolean } {
  const { repoURL, repoURLIsRegex } = secretValues(secret);
  return { address: repoURL, isPattern: repoURLIsRegex === "true" };
}

/** A pattern that cannot be read matches nothing: one bad Secret must not keep the good ones from use. */
function matches(pattern: string, text: string): boolean {
  try {
    return RE2JS.compile(pattern).matcher(text).find();
  } catch {
    return false;
  }
}

function normalize(type: CredentialType, repoURL: string): string {
  switch (type) {
    case "git":
      return normalizeGitUrl(repoURL);
    case "image":
      return normalizeImageUrl(repoURL);
    case "helm":
      return normalizeChartUrl(repoURL);
    default:
      return type satisfies never;
  }
}

function addToMasker(masker: Masker, { username, password, sshPrivateKey }: Credentials): void {
  for (const value of [password, sshPrivateKey]) if (value) masker.add(value);
  if (username && username.length >= tokenLength) masker.add(username);
}
