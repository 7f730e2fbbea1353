import { UserError } from "#core/failure.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { formatRef, type Resource, refOf } from "#core/resources/resource.ts";
import type { Api } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";
import { admitNewFreight, requireSameFreight } from "#server/api/manifests/freight.ts";
import { isApiToken } from "#server/api/manifests/permission.ts";
import { mergeSecretData } from "#server/api/manifests/secret-data.ts";
import { reservedNamespaces } from "#server/api/namespaces.ts";
import type { Identity } from "#server/auth/identity.ts";

/** Checks and completes a resource that is to be created, as Kargo's admission webhooks do. */
export async function admitNew(api: Api, resource: Resource, identity: Identity): Promise<Resource> {
  await requireProject(api, resource);
  requireFixedName(resource);
  switch (resource.kind) {
    case "Project":
      if (reservedNamespaces.has(resource.metadata.name)) {
        throw new UserError(`Cannot create ${formatRef(refOf(resource))}: the name is reserved`, {
          status: 409,
        });
      }
      return withCreator(resource, identity.actor);
    case "Freight":
      return admitNewFreight(api, resource as Freight);
    case "Secret":
      refuseApiToken(resource);
      return mergeSecretData(resource);
    default:
      return resource;
  }
}

/** Checks and completes what is to take the place of `existing`. */
export async function admitChange(api: Api, resource: Resource, existing: Resource): Promise<Resource> {
  requireFixedName(resource);
  keepOwn(resource, existing);
  switch (resource.kind) {
    case "Freight":
      return requireSameFreight(api, resource as Freight, existing as Freight);
    case "Promotion":
      return requireSamePromotion(resource as Promotion, existing as Promotion);
    case "Secret":
      refuseApiToken(existing);
      refuseApiToken(resource);
      return mergeSecretData(resource);
    default:
      return resource;
  }
}

/** What a manifest need not repeat and must not change. */
function keepOwn(resource: Resource, existing: Resource): void {
  const { metadata } = existing;
  resource.metadata.ownerReferences ??= metadata.ownerReferences;
  resource.metadata.finalizers ??= metadata.finalizers;
  const creator = metadata.annotations?.[keys.createActor];
  if (creator !== undefined) withCreator(resource, creator);
}

function withCreator(resource: Resource, actor: string): Resource {
  resource.metadata.annotations = { ...resource.metadata.annotations, [keys.createActor]: actor };
  return resource;
}

async function requireProject(api: Api, resource: Resource): Promise<void> {
  const { namespace } = resource.metadata;
  if (namespace === undefined || reservedNamespaces.has(namespace)) return;
  if (await api.store.get({ kind: "Project", name: namespace })) return;
  throw new UserError(`Cannot create ${formatRef(refOf(resource))}: there is no Project "${namespace}"`, {
    status: 404,
    hint: "Apply the Project first, or in the same request.",
  });
}

function requireFixedName({ kind, metadata }: Resource): void {
  const fixed =
    kind === "ProjectConfig" ? metadata.namespace : kind === "ClusterConfig" ? "cluster" : metadata.name;
  if (metadata.name === fixed) return;
  throw new UserError(`Cannot take ${kind} "${metadata.name}": its name must be "${fixed}"`, { status: 422 });
}

function refuseApiToken(secret: Resource): void {
  if (!isApiToken(secret)) return;
  throw new UserError(`Cannot write ${formatRef(refOf(secret))}: API tokens are made by their own route`, {
    status: 403,
    hint: "POST /v1beta1/projects/<project>/roles/<role>/api-tokens",
  });
}

function requireSamePromotion(promotion: Promotion, existing: Promotion): Resource {
  const { stage, freight } = promotion.spec;
  if (stage !== existing.spec.stage || freight !== existing.spec.freight) {
    throw new UserError(
      `Cannot change ${formatRef(refOf(existing as Resource))}: a promotion's spec is immutable`,
      {
        status: 422,
      },
    );
  }
  return { ...promotion, spec: existing.spec } as Resource;
}
