import { UserError } from "#core/failure.ts";
import type { Fetch } from "#core/step.ts";
import type { OidcSettings } from "#server/auth/oidc-settings.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** Checks tokens of the identity provider. */
export interface OidcVerifier {
  settings: OidcSettings;
  /**
   * What the token says of whoever has it; undefined when it is none of this provider's, or not good. Throws a
   * UserError (503) when the provider cannot be asked for its keys.
   */
  verify(bearer: string): Promise<Claims | undefined>;
}

/** None that is signed with a secret: whoever can check such a token could make one. */
const algorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const clockToleranceSeconds = 30;
/** Anybody may send what looks like the provider's tokens: one that is away is not asked for each of them. */
const pauseMilliseconds = 5000;

/** Asks the provider for its keys when the first of its tokens comes. */
export function createOidcVerifier(
  settings: OidcSettings,
  { fetch, now }: { fetch: Fetch; now(): Date },
): OidcVerifier {
  type Keys = ReturnType<typeof import("jose").createRemoteJWKSet>;
  let keys: Promise<Keys> | undefined;
  let failure: { error: UserError; until: number } | undefined;

  async function discover(): Promise<Keys> {
    const { createRemoteJWKSet, customFetch } = await import("jose");
    const address = `${settings.issuerUrl.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const response = await fetch(address);
    if (!response.ok) throw new Error(`${address} answered ${response.status}`);
    const { issuer, jwks_uri: keysUrl } = (await response.json()) as { issuer?: string; jwks_uri?: string };
    if (issuer !== settings.issuerUrl) throw new Error(`${address} is of another issuer, "${issuer}"`);
    if (keysUrl === undefined || !URL.canParse(keysUrl)) throw new Error(`${address} has no jwks_uri`);
    return createRemoteJWKSet(new URL(keysUrl), {
      [customFetch]: (url: string, init: RequestInit) => fetch(url, init),
    });
  }

  return {
    settings,
    async verify(bearer) {
      const { decodeJwt, errors, jwtVerify } = await import("jose");
      try {
        if (decodeJwt(bearer).iss !== settings.issuerUrl) return undefined;
      } catch {
        return undefined;
      }
      if (failure !== undefined && failure.until > performance.now()) throw failure.error;
      try {
        keys ??= discover();
        const { payload } = await jwtVerify(bearer, await keys, {
          issuer: settings.issuerUrl,
          audience: [settings.clientId, settings.cliClientId ?? settings.clientId],
          algorithms,
          requiredClaims: ["sub", "exp"],
          clockTolerance: clockToleranceSeconds,
          currentDate: now(),
        });
        return trusted(payload);
      } catch (error) {
        const isTold = error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout);
        if (isTold) return undefined;
        keys = undefined;
        const why = error instanceof Error ? error.message : String(error);
        failure = {
          error: new UserError(`Cannot check tokens of ${settings.issuerUrl}: ${why}`, {
            status: 503,
            cause: error,
          }),
          until: performance.now() + pauseMilliseconds,
        };
        throw failure.error;
      }
    },
  };
}

/** An address that nobody has checked is only what somebody says of himself. */
function trusted(claims: Claims): Claims {
  const { email_verified: verified = true } = claims;
  // Some providers write it as text.
  if (verified === true || verified === "true") return claims;
  const { email: _, ...rest } = claims;
  return rest;
}
