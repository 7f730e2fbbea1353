import { kinds } from "#core/resources/kinds.ts";
import { formatRef, type Resource, refOf } from "#core/resources/resource.ts";
import { keys } from "#server/api/keys.ts";
import { reservedNamespaces } from "#server/api/namespaces.ts";
import { forbidden } from "#server/auth/guard.ts";
import type { Identity } from "#server/auth/identity.ts";
import { isAllowed } from "#server/auth/policy.ts";
import type { Permission } from "#server/auth/roles.ts";

/** Fails with 403 when the caller could not do by a route of its own what the manifest asks for. */
export function authorizeManifest(identity: Identity, resource: Resource, doing: "write" | "delete"): void {
  const { namespace } = resource.metadata;
  const permission = permissionFor(resource, doing);
  const project = namespace !== undefined && reservedNamespaces.has(namespace) ? undefined : namespace;
  if (!isAllowed(identity, permission, project)) {
    throw forbidden(identity, `${doing} ${formatRef(refOf(resource))}`);
  }
}

function permissionFor(resource: Resource, doing: "write" | "delete"): Permission {
  const { namespace } = resource.metadata;
  if (!kinds.get(resource.kind)?.namespaced) return "administer";
  if (namespace !== undefined && reservedNamespaces.has(namespace)) return "administer";
  // Who makes an API token by hand could give himself any role.
  if (isApiToken(resource)) return "administer";
  return resource.kind === "Promotion" && doing === "write" ? "promote" : "edit";
}

export function isApiToken(resource: Resource): boolean {
  return resource.kind === "Secret" && resource.metadata.labels?.[keys.apiToken] !== undefined;
}
