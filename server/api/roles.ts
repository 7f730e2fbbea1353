import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { coreV1 } from "#core/resources/api-versions.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Api } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";
import { byName, resourceList } from "#server/api/lists.ts";
import { encode } from "#server/api/manifests/secret-data.ts";
import { redacted } from "#server/api/redact.ts";
import { projectScope, type Scope, systemScope } from "#server/api/scopes.ts";
import { isRole } from "#server/auth/api-tokens.ts";
import { permissions, type Role, roles } from "#server/auth/roles.ts";
import { readJson } from "#server/body.ts";
import type { Route, ServerContext } from "#server/route.ts";

const CreateApiTokenRequest = z.object({ name: z.string().default("").describe("Name of the token.") });

/** Roles, which are given, and the API tokens that carry them, which people make. */
export const roleRoutes = (api: Api): Route[] => [
  ...[projectScope, systemScope].flatMap((scope) =>
    [...roleRoutesIn(scope), ...tokenRoutesIn(api, scope)].map((route) => ({ ...route, owner: scope.owner })),
  ),
  ...unsupported,
];

function roleRoutesIn(scope: Scope): Route[] {
  return [
    {
      method: "GET",
      path: `${scope.path}/roles`,
      id: `List${scope.name}Roles`,
      summary: "List roles",
      needs: "view",
      answers: { 200: "The roles, by name." },
      handle: (c) => {
        const names = (Object.keys(roles) as Role[]).sort();
        // Not a list as Kubernetes has them: Kargo answers with the bare roles here.
        return c.json(names.map((name) => describeRole(name, scope.namespace(c))));
      },
    },
    {
      method: "GET",
      path: `${scope.path}/roles/:role`,
      id: `Get${scope.name}Role`,
      summary: "Get a role",
      needs: "view",
      answers: { 200: "The role." },
      handle: (c) => c.json(describeRole(roleFrom(c), scope.namespace(c))),
    },
  ];
}

function tokenRoutesIn(api: Api, scope: Scope): Route[] {
  const id = (verb: string, plural = "") => `${verb}${scope.name}APIToken${plural}`;
  const nameFrom = (c: ServerContext) => c.req.param("apitoken") as string;
  // A token can do whatever its role can, so making one takes the right to do all of it.
  const needs = "administer";
  return [
    {
      method: "POST",
      path: `${scope.path}/roles/:role/api-tokens`,
      id: id("Create"),
      summary: "Make an API token that carries a role; it is shown this once",
      needs,
      body: CreateApiTokenRequest,
      answers: { 201: "A Secret with the token." },
      handle: async (c) => {
        const role = roleFrom(c);
        const { name } = await readJson(c, CreateApiTokenRequest);
        if (name === "") throw new UserError("name should not be empty");
        const { secret, token } = await api.apiTokens.create(scope.namespace(c), role, name);
        return c.json({ ...secret, data: { token: encode(token) } }, 201);
      },
    },
    {
      method: "GET",
      path: `${scope.path}/api-tokens`,
      id: id("List", "s"),
      summary: "List API tokens, without what they are",
      needs,
      query: { role: "Only tokens that carry this role." },
      answers: { 200: "A SecretList." },
      handle: async (c) => {
        const tokens = await api.apiTokens.list(scope.namespace(c), c.req.query("role"));
        return c.json(resourceList("Secret", coreV1, tokens.map(redactToken).sort(byName)));
      },
    },
    {
      method: "GET",
      path: `${scope.path}/api-tokens/:apitoken`,
      id: id("Get"),
      summary: "Get an API token, without what it is",
      needs,
      answers: { 200: "A Secret." },
      handle: async (c) => c.json(redactToken(await api.apiTokens.get(scope.namespace(c), nameFrom(c)))),
    },
    {
      method: "DELETE",
      path: `${scope.path}/api-tokens/:apitoken`,
      id: id("Delete"),
      summary: "Delete an API token; it is refused from then on",
      needs,
      answers: { 204: "It is gone." },
      handle: async (c) => {
        await api.apiTokens.delete(scope.namespace(c), nameFrom(c));
        return c.body(null, 204);
      },
    },
  ];
}

function redactToken(secret: Resource): Resource {
  return { ...secret, data: { token: encode(redacted) } } as Resource;
}

const rbac = "rbac.kargo.akuity.io/v1alpha1";

function roleFrom(c: ServerContext): Role {
  const role = c.req.param("role");
  if (isRole(role)) return role;
  throw new UserError(`Role "${role}" not found`, {
    status: 404,
    hint: `There are ${Object.keys(roles).join(", ")}.`,
  });
}

function describeRole(name: Role, namespace: string) {
  const granted: readonly string[] = roles[name];
  const verbs = permissions.filter((permission) => granted.includes(permission));
  return {
    apiVersion: rbac,
    kind: "Role",
    metadata: { name, namespace, annotations: { [keys.description]: `May ${verbs.join(", ")}.` } },
    kargoManaged: true,
    claims: [],
    rules: [{ apiGroups: ["*"], resources: ["*"], verbs }],
  };
}

/** Kargo keeps these in Kubernetes' RBAC, which is not here; they say so instead of pretending. */
const unsupported: Route[] = (
  [
    ["POST", "", "CreateProjectRole"],
    ["PUT", "/:role", "UpdateRole"],
    ["DELETE", "/:role", "DeleteProjectRole"],
    ["POST", "/grants", "Grant"],
    ["POST", "/revocations", "Revoke"],
  ] as const
).map(([method, path, id]) => ({
  method,
  path: `${projectScope.path}/roles${path}`,
  id,
  summary: "Not supported: roles are given",
  needs: "edit",
  answers: {},
  handle: () => {
    throw new UserError(`Cannot change roles: there are ${Object.keys(roles).join(", ")}, and no others`, {
      status: 501,
    });
  },
}));
