import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { sign, verify } from "hono/jwt";
import type { Identity } from "#server/auth/identity.ts";

const issuer = "towpath";

/** Tells callers by what they show, and gives those who know the password a session. */
export interface Authenticator {
  /** Whose token it is: the administrator's, a session's or an API token's. */
  identify(bearer: string): Promise<Omit<Identity, "via"> | undefined>;
  /** A session for who knows the password. Only the password gives one: a session cannot prolong itself. */
  login(password: string): Promise<string | undefined>;
}

/** Finds out whose API token it is; see api-tokens.ts. */
export type ApiTokens = (bearer: string) => Promise<Omit<Identity, "via"> | undefined>;

export function createAuthenticator(options: {
  token: string;
  sessionSeconds: number;
  apiTokens: ApiTokens;
  /** Whose token of an identity provider it is. */
  oidc?: ApiTokens;
}): Authenticator {
  const { token, sessionSeconds, apiTokens, oidc } = options;
  if (token.length < 16) throw new Error("Cannot guard the server: its token has fewer than 16 characters");
  // Derived, so that a new token ends every session.
  const sessionKey = createHmac("sha256", token).update("towpath session").digest("base64url");
  const admin = { actor: "admin", role: "kargo-admin" } as const;

  async function isSession(bearer: string): Promise<boolean> {
    try {
      const claims = await verify(bearer, sessionKey, { alg: "HS256", iss: issuer, aud: issuer });
      // A token without an end would be valid for ever.
      return claims.sub === "admin" && typeof claims.exp === "number";
    } catch {
      return false;
    }
  }

  return {
    async identify(bearer) {
      if (bearer === "") return undefined;
      if (sameSecret(bearer, token) || (await isSession(bearer))) return admin;
      return (await apiTokens(bearer)) ?? oidc?.(bearer);
    },
    async login(password) {
      if (!sameSecret(password, token)) return undefined;
      const seconds = Math.floor(Date.now() / 1000);
      const claims = { iss: issuer, aud: issuer, sub: "admin", iat: seconds, exp: seconds + sessionSeconds };
      return sign(claims, sessionKey, "HS256");
    },
  };
}

/** Compares in a time that tells nothing about where two secrets differ, nor about their lengths. */
export function sameSecret(one: string, other: string): boolean {
  return timingSafeEqual(sha256(one), sha256(other));
}

export function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
