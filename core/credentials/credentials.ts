export type CredentialType = "git" | "helm" | "image";

/** How to authenticate to a repository: a user and password, or an SSH key. */
export interface Credentials {
  username?: string;
  password?: string;
  /** PEM. */
  sshPrivateKey?: string;
}

/** Finds credentials by Kargo's rules; every secret value it hands out is known to the masker from then on. */
export interface CredentialSource {
  find(type: CredentialType, repoURL: string): Promise<Credentials | undefined>;
}
