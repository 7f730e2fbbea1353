import { UserError } from "#core/failure.ts";
import { validateResource } from "#core/resources/admission.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { formatRef, type Resource, refOf } from "#core/resources/resource.ts";
import { keys } from "#core/stages/keys.ts";
import type { Api } from "#server/api/api.ts";
import { admitChange, admitNew } from "#server/api/manifests/admit.ts";
import { refuseErrors } from "#server/api/manifests/check.ts";
import { besides, unlessTaken } from "#server/api/manifests/freight-alias.ts";
import { authorizeManifest } from "#server/api/manifests/permission.ts";
import type { Identity } from "#server/auth/identity.ts";

/** Creates a resource; 409 when it is there already. */
export async function createResource(api: Api, resource: Resource, identity: Identity): Promise<Resource> {
  authorizeManifest(identity, resource, "write");
  if (resource.kind === "Promotion") return createPromotion(api, resource as Promotion, identity);
  // Told before anything else that may be wrong with it: that it exists is what its author needs to know.
  if (resource.metadata.name !== "" && (await api.store.get(refOf(resource)))) {
    throw new UserError(`${formatRef(refOf(resource))} already exists`, { status: 409 });
  }
  const admitted = await admitNew(api, resource, identity);
  const [created] = await write(api, { op: "create", resource: admitted });
  return created ?? admitted;
}

/** Puts a resource in the place of the one of its name; undefined when there is none. */
export async function replaceResource(
  api: Api,
  resource: Resource,
  identity: Identity,
): Promise<Resource | undefined> {
  authorizeManifest(identity, resource, "write");
  const existing = resource.metadata.name === "" ? undefined : await api.store.get(refOf(resource));
  if (!existing) return undefined;
  const admitted = await admitChange(api, resource, existing);
  const [changed] = await write(api, { op: "update", resource: admitted });
  return changed ?? admitted;
}

function write({ store }: Api, one: { op: "create" | "update"; resource: Resource }) {
  const { alias = "", metadata } = one.resource as Freight;
  return unlessTaken(metadata.namespace ?? "", alias, store.write([one, ...besides(one.resource)]));
}

/** A promotion's steps are its stage's, whatever the manifest says of them. */
async function createPromotion(api: Api, promotion: Promotion, { actor }: Identity): Promise<Resource> {
  refuseErrors(promotion as Resource, validateResource(promotion as Resource));
  const { stage, freight, origin } = promotion.spec;
  const project = promotion.metadata.namespace as string;
  const windowOverride = promotion.metadata.annotations?.[keys.windowOverride];
  return (await api.stages.promote({ project, stage, actor, freight, origin, windowOverride })) as Resource;
}
