import { type Proxies, proxiesFrom } from "#core/egress/proxies.ts";

/** How remote changes join local ones before a push; see Kargo's push integration policies. */
export const pushIntegrationPolicies = [
  "AlwaysRebase",
  "RebaseOrMerge",
  "RebaseOrFail",
  "AlwaysMerge",
] as const;
export type PushIntegrationPolicy = (typeof pushIntegrationPolicies)[number];

/** What an operator decides for all use of Git. */
export interface GitSettings {
  /** Protocols of repositories; `file` stands for file URLs and absolute paths. */
  protocols: readonly string[];
  pushIntegrationPolicy: PushIntegrationPolicy;
  /** How many commits github-push makes anew at most. */
  githubPushMaxRevisions: number;
  /** Whether github-push has GitHub vouch for commits that nobody trusted has signed. */
  githubPushVerifyUntrusted: boolean;
  /** Who commits when neither a step nor the ClusterConfig says so. */
  userName: string;
  userEmail: string;
  /** A GPG key to sign with, when neither a step nor the ClusterConfig has one. */
  signingKeyPath: string | undefined;
  /** Hosts' SSH keys. With it a host that is not in it is refused; without, a host's first key is remembered. */
  knownHostsPath: string | undefined;
  /** The operator's, for repositories over HTTP. */
  proxies: Proxies;
  /** Variables of the daemon's environment that git sees as well: authorities to trust. */
  passedOn: Record<string, string>;
}

/** Commits name Kargo by default, so that filters that keep a Warehouse from finding its own commits go on working. */
const defaultUser = { name: "Kargo", email: "no-reply@kargo.io" };

/**
 * Settings from the environment: Kargo's names where it has one, and TOWPATH_GIT_PROTOCOLS (comma-separated)
 * and TOWPATH_GIT_KNOWN_HOSTS (a file).
 */
export function gitSettingsFrom(environment: Record<string, string | undefined>): GitSettings {
  const protocols = environment.TOWPATH_GIT_PROTOCOLS?.split(",").map((name) => name.trim());
  return {
    protocols: protocols ?? ["https", "http", "ssh", "git", "file"],
    pushIntegrationPolicy: readPolicy(environment.GIT_PUSH_INTEGRATION_POLICY),
    githubPushMaxRevisions: Number(environment.GITHUB_PUSH_MAX_REVISIONS || 10),
    githubPushVerifyUntrusted: environment.GITHUB_PUSH_VERIFY_UNTRUSTED_COMMITS === "true",
    userName: environment.GITCLIENT_NAME || defaultUser.name,
    userEmail: environment.GITCLIENT_EMAIL || defaultUser.email,
    signingKeyPath: environment.GITCLIENT_SIGNING_KEY_PATH || undefined,
    knownHostsPath: environment.TOWPATH_GIT_KNOWN_HOSTS || undefined,
    proxies: proxiesFrom(environment),
    passedOn: pick(environment, ["GIT_SSL_CAINFO", "SSL_CERT_FILE", "SSL_CERT_DIR"]),
  };
}

function readPolicy(value: string | undefined): PushIntegrationPolicy {
  if (value === undefined || value === "") return "AlwaysRebase";
  const policy = pushIntegrationPolicies.find((known) => known === value);
  if (policy === undefined) {
    const known = pushIntegrationPolicies.join(", ");
    throw new Error(`Cannot use GIT_PUSH_INTEGRATION_POLICY "${value}": it must be one of ${known}`);
  }
  return policy;
}

function pick(from: Record<string, string | undefined>, names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = from[name];
    if (value) picked[name] = value;
  }
  return picked;
}
