import { randomBytes } from "node:crypto";
import { secretValues } from "#core/credentials/secret-values.ts";
import { UserError } from "#core/failure.ts";
import { coreV1 } from "#core/resources/api-versions.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { Store } from "#core/store/store.ts";
import { keys } from "#server/api/keys.ts";
import { encode } from "#server/api/manifests/secret-data.ts";
import { systemNamespace } from "#server/api/namespaces.ts";
import { type Role, roles } from "#server/auth/roles.ts";
import { type ApiTokens, sameSecret, sha256 } from "#server/auth/tokens.ts";

/** A token that somebody gave to a program: good for one role, in one project or everywhere. */
export interface ApiTokenStore {
  /** The token is in the answer, and nowhere else from then on. */
  create(namespace: string, role: Role, name: string): Promise<{ secret: Resource; token: string }>;
  list(namespace: string, role?: string): Promise<Resource[]>;
  get(namespace: string, name: string): Promise<Resource>;
  delete(namespace: string, name: string): Promise<void>;
  /** The role that the token carries now; undefined when it is there no more, whoever has its name since. */
  roleOf(namespace: string, name: string, uid: string): Promise<Role | undefined>;
  identify: ApiTokens;
}

const prefix = "towpath";

/**
 * Tokens look like `towpath.<namespace>.<name>.<secret>`, so that one look finds the Secret that stands for
 * them. It holds the hash alone: who reads the store cannot call with it.
 */
export function createApiTokenStore(store: Store): ApiTokenStore {
  const refFor = (namespace: string, name: string): ResourceRef => ({
    kind: "Secret",
    project: namespace,
    name,
  });

  async function find(namespace: string, name: string): Promise<Resource | undefined> {
    const secret = await store.get(refFor(namespace, name));
    return secret?.metadata.labels?.[keys.apiToken] === "true" ? secret : undefined;
  }

  async function get(namespace: string, name: string): Promise<Resource> {
    const secret = await find(namespace, name);
    if (!secret) throw new UserError(`API token "${name}" not found`, { status: 404 });
    return secret;
  }

  return {
    get,
    async create(namespace, role, name) {
      const random = randomBytes(32).toString("base64url");
      const secret: Resource & { type: string; data: Record<string, string> } = {
        apiVersion: coreV1,
        kind: "Secret",
        metadata: {
          name,
          namespace,
          labels: { [keys.apiToken]: "true" },
          annotations: { [keys.role]: role },
        },
        type: "towpath.dev/api-token",
        data: { hash: encode(sha256(random).toString("hex")) },
      };
      const [created] = await store.write([{ op: "create", resource: secret }]);
      return { secret: created ?? secret, token: [prefix, namespace, name, random].join(".") };
    },
    async list(namespace, role) {
      const labels = { [keys.apiToken]: "true" };
      const secrets = await store.list({ kind: "Secret", project: namespace, labels });
      return secrets.filter(({ metadata }) => !role || metadata.annotations?.[keys.role] === role);
    },
    async delete(namespace, name) {
      const secret = await get(namespace, name);
      await store.write([{ op: "delete", ref: refFor(namespace, secret.metadata.name) }]);
    },
    async roleOf(namespace, name, uid) {
      const metadata = (await find(namespace, name))?.metadata;
      const role = metadata?.annotations?.[keys.role];
      return metadata?.uid === uid && isRole(role) ? role : undefined;
    },
    async identify(bearer) {
      // A name may hold points of its own; the first part and the last do not.
      const [, namespace, name, random] = /^towpath\.([^.]+)\.(.+)\.([^.]+)$/.exec(bearer) ?? [];
      if (namespace === undefined || name === undefined || random === undefined) return undefined;
      const secret = await find(namespace, name);
      const role = secret?.metadata.annotations?.[keys.role];
      if (!secret || !isRole(role)) return undefined;
      const { hash = "" } = secretValues(secret);
      if (!sameSecret(sha256(random).toString("hex"), hash)) return undefined;
      const actor = `token:${namespace}/${name}`;
      const identity = { actor, role, tokenUid: secret.metadata.uid };
      return namespace === systemNamespace ? identity : { ...identity, project: namespace };
    },
  };
}

export function isRole(name: string | undefined): name is Role {
  return name !== undefined && Object.hasOwn(roles, name);
}
