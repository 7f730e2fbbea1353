import type { Identity } from "#server/auth/identity.ts";
import { type Permission, type Role, roles } from "#server/auth/roles.ts";

/**
 * The one place that says who may do what. Whatever leads to an operation (the API, a page, a manifest) asks
 * here. `project` is absent where an operation belongs to no project: looking is then open to everybody who
 * is known, the rest to those who are not bound to one project.
 */
export function isAllowed(identity: Identity, permission: Permission, project: string | undefined): boolean {
  if (includes(identity.role, permission) && reaches(identity, permission, project)) return true;
  const own = project === undefined ? undefined : identity.projectRoles?.get(project)?.role;
  return own !== undefined && includes(own, permission);
}

function includes(role: Role, permission: Permission): boolean {
  const granted: readonly Permission[] = roles[role];
  return granted.includes(permission);
}

function reaches(identity: Identity, permission: Permission, project: string | undefined): boolean {
  if (identity.project === undefined) return true;
  return project === undefined ? permission === "view" : project === identity.project;
}

/** The roles that the caller has in the project: the one for everything, and those of the project's own. */
export function rolesIn({ role, projectRoles }: Identity, project: string): string[] {
  return [role, ...(projectRoles?.get(project)?.names ?? [])];
}
