import type { Credentials, CredentialType } from "#core/credentials/credentials.ts";

/** What a provider is asked: which repository, and what the Secret that matches it holds. */
export interface CredentialRequest {
  project: string;
  type: CredentialType;
  /** In its canonical form. */
  repoURL: string;
  /** The Secret's values, plain; empty when no Secret matches. */
  data: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
}

/**
 * One way to come to credentials. The first that supports a request answers it, with undefined when it
 * has none to give.
 */
export interface CredentialProvider {
  supports(request: CredentialRequest): boolean;
  get(request: CredentialRequest): Promise<Credentials | undefined>;
}

const usernameAndPassword: CredentialProvider = {
  supports: ({ data }) => data.username !== undefined && data.password !== undefined,
  async get({ data: { username, password } }) {
    return username && password ? { username, password } : undefined;
  },
};

const sshPrivateKey: CredentialProvider = {
  supports: ({ data }) => data.sshPrivateKey !== undefined,
  async get({ data: { sshPrivateKey } }) {
    return sshPrivateKey ? { sshPrivateKey } : undefined;
  },
};

export const builtinProviders: readonly CredentialProvider[] = [usernameAndPassword, sshPrivateKey];
