import type { Resource } from "#core/resources/resource.ts";
import type { Store } from "#core/store/store.ts";
import { isRole } from "#server/auth/api-tokens.ts";
import type { Identity, ProjectRoles } from "#server/auth/identity.ts";
import { hasClaim, type OidcSettings, readWanted, type WantedClaims } from "#server/auth/oidc-settings.ts";
import type { Claims } from "#server/auth/oidc-verifier.ts";
import { isReserved } from "#server/auth/reserved-names.ts";
import type { Role } from "#server/auth/roles.ts";

/** Kargo's annotations of ServiceAccounts, which say who has the role of that name. */
const claimsAnnotation = "rbac.kargo.akuity.io/claims";
const claimPrefix = "rbac.kargo.akuity.io/claim.";

const byRight: readonly Role[] = ["kargo-admin", "kargo-promoter", "kargo-viewer"];

/** Who it is whom the provider tells of; undefined when nothing lets him in. */
export async function identityOf(
  store: Pick<Store, "list">,
  { roles, usernameClaim }: OidcSettings,
  claims: Claims,
): Promise<Omit<Identity, "via"> | undefined> {
  const role = byRight.find((name) => hasClaim(claims, roles[name]));
  if (role === undefined) return undefined;
  const accounts = await store.list({ kind: "ServiceAccount" });
  return {
    actor: actorOf(claims, usernameClaim),
    role,
    claims: withoutReservedSubject(claims),
    projectRoles: rolesByProject(accounts.filter((account) => hasClaim(claims, wantedBy(account)))),
  };
}

/** Gates know tokens and their like by `sub`: a person whom the provider calls so would answer as one of them. */
function withoutReservedSubject({ sub, ...others }: Claims): Claims {
  const isOurs = [sub].flat().some((name) => typeof name === "string" && isReserved(name));
  return isOurs ? others : { ...others, sub };
}

/** As Kargo calls people. */
function actorOf(claims: Claims, usernameClaim: string): string {
  const known = ([claim, prefix]: readonly [string, string]) =>
    typeof claims[claim] === "string" && claims[claim] !== "" ? [`${prefix}:${claims[claim]}`] : [];
  const ways = [
    [usernameClaim, usernameClaim],
    ["email", "email"],
    ["sub", "subject"],
  ] as const;
  return ways.flatMap(known)[0] ?? "unknown actor";
}

function rolesByProject(accounts: readonly Resource[]): ProjectRoles {
  const found = new Map<string, { role?: Role; names: string[] }>();
  for (const { metadata } of accounts) {
    const { namespace = "", name } = metadata;
    const { role, names } = found.get(namespace) ?? { role: undefined, names: [] };
    const best = isRole(name) ? byRight.find((each) => each === name || each === role) : role;
    found.set(namespace, { ...(best && { role: best }), names: [...names, name] });
  }
  return found;
}

function wantedBy({ metadata: { annotations = {} } }: Resource): WantedClaims {
  const single = Object.entries(annotations)
    .filter(([name]) => name.startsWith(claimPrefix))
    .map(([name, values]) => [
      name.slice(claimPrefix.length),
      values.split(",").map((value) => value.trim()),
    ]);
  return { ...Object.fromEntries(single), ...readWanted(annotations[claimsAnnotation] ?? "") };
}
