import type { Environment } from "#core/environment.ts";
import { UserError } from "#core/failure.ts";
import { reservedPrefixes } from "#server/auth/reserved-names.ts";
import type { Role } from "#server/auth/roles.ts";

/** Claims and the values of which one has to stand there. */
export type WantedClaims = Readonly<Record<string, readonly string[]>>;

/** The identity provider whose tokens are taken, and who is who among its people. */
export interface OidcSettings {
  issuerUrl: string;
  /** Whom tokens must be meant for: this or that. */
  clientId: string;
  cliClientId?: string;
  scopes: string[];
  /** What people are called by, as in `email:jo@example.com`. */
  usernameClaim: string;
  /** Who has which role in all projects. Nobody else gets in. */
  roles: Record<Role, WantedClaims>;
}

const defaultScopes = ["openid", "profile", "email"];

/** From Kargo's OIDC_* variables; undefined where they name no issuer. Throws a UserError for what cannot be. */
export function oidcSettingsFrom(env: Environment): OidcSettings | undefined {
  const issuerUrl = env.OIDC_ISSUER_URL;
  if (!issuerUrl) return undefined;
  if (!URL.canParse(issuerUrl) || !/^https?:$/.test(new URL(issuerUrl).protocol))
    throw new UserError(`Cannot use OIDC_ISSUER_URL "${issuerUrl}": expected a URL`);
  if (!env.OIDC_CLIENT_ID) throw new UserError("OIDC_ISSUER_URL is set, and OIDC_CLIENT_ID has to be, too");
  const usernameClaim = env.OIDC_USERNAME_CLAIM || "email";
  if (reservedPrefixes.includes(usernameClaim))
    throw new UserError(
      `Cannot use OIDC_USERNAME_CLAIM "${usernameClaim}": names that begin so are not those of people`,
    );
  const more = env.OIDC_ADDITIONAL_SCOPES?.split(",").map((scope) => scope.trim());
  return {
    issuerUrl,
    clientId: env.OIDC_CLIENT_ID,
    ...(env.OIDC_CLI_CLIENT_ID && { cliClientId: env.OIDC_CLI_CLIENT_ID }),
    scopes: [...defaultScopes, ...(more ?? []).filter((scope) => scope !== "")],
    usernameClaim,
    roles: {
      "kargo-admin": wantedFrom(env, "TOWPATH_OIDC_ADMINS"),
      "kargo-promoter": wantedFrom(env, "TOWPATH_OIDC_PROMOTERS"),
      "kargo-viewer": wantedFrom(env, "TOWPATH_OIDC_VIEWERS"),
    },
  };
}

function wantedFrom(env: Environment, name: string): WantedClaims {
  const text = env[name];
  if (!text) return {};
  const wanted = readWanted(text);
  if (wanted !== undefined) return wanted;
  throw new UserError(`Cannot use ${name}: expected claims as JSON`, {
    hint: `${name}='{"groups": ["platform"]}'`,
  });
}

/** Claims written as JSON, each with a text or a list of them; undefined when they are not. */
export function readWanted(text: string): WantedClaims | undefined {
  try {
    const wanted: unknown = JSON.parse(text);
    if (typeof wanted !== "object" || wanted === null || Array.isArray(wanted)) return undefined;
    const lists = Object.entries(wanted).map(([claim, values]) => [claim, [values].flat()] as const);
    const areTexts = lists.every(([, values]) => values.every((value) => typeof value === "string"));
    return areTexts ? Object.fromEntries(lists) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether one of the claims has one of its values. Nothing wanted is nobody meant. */
export function hasClaim(claims: Readonly<Record<string, unknown>>, wanted: WantedClaims): boolean {
  return Object.entries(wanted).some(([name, values]) => {
    const own = Object.hasOwn(claims, name) ? [claims[name]].flat() : [];
    return own.some((value) => typeof value === "string" && value !== "" && values.includes(value));
  });
}
