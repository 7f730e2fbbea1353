import { sharedNamespace, systemNamespace } from "#server/api/namespaces.ts";
import type { Permission } from "#server/auth/roles.ts";
import type { ServerContext } from "#server/route.ts";

/** Where things live that exist in projects, for all projects, and for the installation itself. */
export interface Scope {
  name: "Project" | "Shared" | "System";
  /** Start of the paths of its routes. */
  path: string;
  /** What changing something in it needs. */
  edit: Permission;
  /** Whose the routes are, where their paths name no project. */
  owner?: string;
  namespace(c: ServerContext): string;
}

export const projectScope: Scope = {
  name: "Project",
  path: "/v1beta1/projects/:project",
  edit: "edit",
  namespace: (c) => c.req.param("project") as string,
};

export const sharedScope: Scope = {
  name: "Shared",
  path: "/v1beta1/shared",
  edit: "administer",
  namespace: () => sharedNamespace,
};

export const systemScope: Scope = {
  name: "System",
  path: "/v1beta1/system",
  edit: "administer",
  owner: systemNamespace,
  namespace: () => systemNamespace,
};
