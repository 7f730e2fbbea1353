export type CredentialType = "git" | "helm" | "image";

/** The user that stands for an identity token, as Docker's credential helpers have it. */
export const identityTokenUser = "<token>";

/** Why no credentials were shown to a server that wants some. */
export const keptFromPlainHttp =
  "it wants credentials, and those do not go over plain HTTP unless the operator sets ALLOW_CREDENTIALS_OVER_HTTP=true";

/** How to authenticate to a repository: a user and password, or an SSH key. */
export interface Credentials {
  /** With `identityTokenUser`, the password is a token that registries exchange for others by OAuth 2. */
  username?: string;
  password?: string;
  /** May be sent where anybody on the way can read it; the operator's decision. */
  overPlainHttp?: boolean;
  /** PEM. */
  sshPrivateKey?: string;
}

/** Finds credentials by Kargo's rules; every secret value it hands out is known to the masker from then on. */
export interface CredentialSource {
  find(type: CredentialType, repoURL: string): Promise<Credentials | undefined>;
}
