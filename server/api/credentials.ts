import type { z } from "zod";
import { UserError } from "#core/failure.ts";
import { coreV1 } from "#core/resources/api-versions.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { Secret } from "#core/resources/secret.ts";
import { type Api, changeResource, getResource } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";
import { byName, resourceList } from "#server/api/lists.ts";
import { createResource } from "#server/api/manifests/create.ts";
import { deleteResource } from "#server/api/manifests/delete.ts";
import { redactSecret } from "#server/api/redact.ts";
import type { Scope } from "#server/api/scopes.ts";
import { readJson } from "#server/body.ts";
import type { Route, ServerContext } from "#server/route.ts";

/** What a kind of credentials has of its own; the routes are the same for all. */
export interface CredentialApi<Create extends z.ZodType, Update extends z.ZodType, Patch extends z.ZodType> {
  /** As Kargo names it in operations: `RepoCredentials`. */
  noun: string;
  /** As it stands in paths: `repo-credentials`. */
  folder: string;
  /** Values of the label `kargo.akuity.io/cred-type` that belong to this kind. */
  types: readonly string[];
  create: Create;
  update: Update;
  patch: Patch;
  /** The Secret for a request, without its namespace. */
  make(request: z.output<Create>): Secret;
  /** Changes the Secret as a PUT asks for. */
  replace(secret: Secret, request: z.output<Update>): void;
  /** Changes the Secret as a PATCH asks for. */
  merge(secret: Secret, request: z.output<Patch>): void;
}

/** The routes of one kind of credentials in one scope. Answers never tell values that are secret. */
export function credentialRoutes<C extends z.ZodType, U extends z.ZodType, P extends z.ZodType>(
  api: Api,
  scope: Scope,
  kind: CredentialApi<C, U, P>,
): Route[] {
  const folder = `${scope.path}/${kind.folder}`;
  const one = `${folder}/:${kind.folder}`;
  const id = (verb: string) => `${verb}${scope.name}${kind.noun}`;

  const refFrom = (c: ServerContext): ResourceRef => ({
    kind: "Secret",
    project: scope.namespace(c),
    name: c.req.param(kind.folder) as string,
  });
  const isOurs = ({ metadata }: Resource) =>
    kind.types.includes(metadata.labels?.[keys.credentialType] ?? "");
  function requireOurs(secret: Resource): void {
    if (isOurs(secret)) return;
    const { namespace, name } = secret.metadata;
    throw new UserError(
      `Secret ${namespace}/${name} exists, but is not labeled with ${keys.credentialType}=${kind.types.join("|")}`,
      { status: 409 },
    );
  }
  async function change(c: ServerContext, edit: (secret: Secret) => void): Promise<Response> {
    const changed = await changeResource(api.store, refFrom(c), (resource) => {
      requireOurs(resource);
      edit(resource as Secret);
    });
    return c.json(redactSecret(changed));
  }

  return [
    {
      method: "GET",
      path: folder,
      id: id("List"),
      summary: `List ${kind.noun}, secret values left out`,
      needs: "view",
      answers: { 200: "A SecretList, by name." },
      handle: async (c) => {
        const secrets = await api.store.list({ kind: "Secret", project: scope.namespace(c) });
        const items = secrets.filter(isOurs).sort(byName);
        return c.json(
          resourceList(
            "Secret",
            coreV1,
            items.map((secret) => redactSecret(secret)),
          ),
        );
      },
    },
    {
      method: "POST",
      path: folder,
      id: id("Create"),
      summary: `Create ${kind.noun}`,
      needs: scope.edit,
      body: kind.create,
      answers: { 201: "The Secret, secret values left out." },
      handle: async (c) => {
        const secret = kind.make(await readJson(c, kind.create));
        secret.metadata.namespace = scope.namespace(c);
        return c.json(redactSecret(await createResource(api, secret as Resource, c.get("identity"))), 201);
      },
    },
    {
      method: "GET",
      path: one,
      id: id("Get"),
      summary: `Get ${kind.noun}, secret values left out`,
      needs: "view",
      answers: { 200: "The Secret, secret values left out." },
      handle: async (c) => {
        const secret = await getResource(api.store, refFrom(c));
        requireOurs(secret);
        return c.json(redactSecret(secret));
      },
    },
    {
      method: "PUT",
      path: one,
      id: id("Update"),
      summary: `Replace ${kind.noun}`,
      needs: scope.edit,
      body: kind.update,
      answers: { 200: "The Secret, secret values left out." },
      handle: async (c) => {
        const request = await readJson(c, kind.update);
        return change(c, (secret) => kind.replace(secret, request));
      },
    },
    {
      method: "PATCH",
      path: one,
      id: id("Patch"),
      summary: `Change some of ${kind.noun}`,
      needs: scope.edit,
      body: kind.patch,
      answers: { 200: "The Secret, secret values left out." },
      handle: async (c) => {
        const request = await readJson(c, kind.patch);
        return change(c, (secret) => kind.merge(secret, request));
      },
    },
    {
      method: "DELETE",
      path: one,
      id: id("Delete"),
      summary: `Delete ${kind.noun}`,
      needs: scope.edit,
      answers: { 204: "They are gone." },
      handle: async (c) => {
        requireOurs(await getResource(api.store, refFrom(c)));
        await deleteResource(api, refFrom(c));
        return c.body(null, 204);
      },
    },
  ];
}
