import type { Identity } from "#server/auth/identity.ts";
import { type Permission, roles } from "#server/auth/roles.ts";

/**
 * The one place that says who may do what. Whatever leads to an operation (the API, a page, a manifest) asks
 * here. `project` is absent where an operation belongs to no project: looking is then open to everybody who
 * is known, the rest to those who are not bound to one project.
 */
export function isAllowed(identity: Identity, permission: Permission, project: string | undefined): boolean {
  const granted: readonly Permission[] = roles[identity.role];
  if (!granted.includes(permission)) return false;
  if (identity.project === undefined) return true;
  return project === undefined ? permission === "view" : project === identity.project;
}
