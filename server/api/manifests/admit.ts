import { prepareFreight } from "#core/artifacts/prepare-freight.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import { UserError } from "#core/failure.ts";
import { applyDefaults, validateResource } from "#core/resources/admission.ts";
import { errorsOf } from "#core/resources/check.ts";
import type { FieldError } from "#core/resources/field-error.ts";
import type { Freight } from "#core/resources/freight.ts";
import { formatRef, type Resource, refOf } from "#core/resources/resource.ts";
import type { Api } from "#server/api/api.ts";
import { keys } from "#server/api/keys.ts";
import { refuseErrors } from "#server/api/manifests/check.ts";
import { requireFreeAlias } from "#server/api/manifests/freight-alias.ts";
import { isApiToken } from "#server/api/manifests/permission.ts";
import { reservedNamespaces } from "#server/api/namespaces.ts";
import { redacted } from "#server/api/redact.ts";
import type { Identity } from "#server/auth/identity.ts";

/** Checks and completes a resource that is to be created, as Kargo's admission webhooks do. */
export async function admitNew(api: Api, declared: Resource, identity: Identity): Promise<Resource> {
  await requireProject(api, declared);
  refuseApiToken(declared);
  refuseReservedName(declared);
  refuseErrors(declared, [...validateResource(declared), ...redactedValues(declared)]);
  refuseErrors(declared, await errorsBeyondRules(api, declared));
  const completed =
    declared.kind === "Freight"
      ? ((await prepareFreight(api.store, declared as Freight, { now: api.now() })) as Resource)
      : declared;
  const resource = applyDefaults(completed, api.now());
  if (resource.kind === "Project") setCreator(resource, identity.actor);
  return resource;
}

/** Checks and completes what is to take the place of `existing`. */
export async function admitChange(api: Api, declared: Resource, existing: Resource): Promise<Resource> {
  refuseApiToken(existing);
  refuseApiToken(declared);
  keepOwn(declared, existing);
  refuseErrors(declared, [...validateResource(declared, existing), ...redactedValues(declared)]);
  refuseErrors(declared, await errorsBeyondRules(api, declared));
  const { alias } = declared as Freight;
  const { namespace = "", name } = declared.metadata;
  if (declared.kind === "Freight" && alias) await requireFreeAlias(api, namespace, alias, name);
  return applyDefaults(declared, api.now());
}

/** A Secret that was read from here and is sent back would lose what it keeps. */
function redactedValues(declared: Resource): FieldError[] {
  if (declared.kind !== "Secret") return [];
  const values = Object.entries(secretValues(declared));
  return values
    .filter(([, value]) => value === redacted)
    .map(([key]) => ({
      path: ["stringData", key],
      message: "this is what is shown in place of the value, not the value itself",
    }));
}

/** What can be told of a resource without running it: steps that nobody knows, circles of stages, and the like. */
async function errorsBeyondRules({ store, steps }: Api, declared: Resource): Promise<FieldError[]> {
  const { namespace = "" } = declared.metadata;
  const stages = declared.kind === "Stage" ? await store.list({ kind: "Stage", project: namespace }) : [];
  const customSteps = await store.list({ kind: "CustomPromotionStep" });
  return errorsOf(declared, { steps, beside: [...stages, ...customSteps] });
}

/** What a manifest need not repeat and must not change. */
function keepOwn(declared: Resource, existing: Resource): void {
  const { metadata } = existing;
  declared.metadata.ownerReferences ??= metadata.ownerReferences;
  declared.metadata.finalizers ??= metadata.finalizers;
  const creator = metadata.annotations?.[keys.createActor];
  if (creator !== undefined) setCreator(declared, creator);
  // A promotion's steps come from its stage; what a manifest leaves out of them is not taken away.
  if (declared.kind === "Promotion") {
    declared.spec = { ...(existing.spec as object), ...(declared.spec as object) };
  }
  if (declared.kind === "Freight") (declared as Freight).discoveredAt ??= (existing as Freight).discoveredAt;
}

/** Who made it, whatever a manifest says: others act on this. */
function setCreator({ metadata }: Resource, actor: string): void {
  metadata.annotations = { ...metadata.annotations, [keys.createActor]: actor };
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

function refuseReservedName(resource: Resource): void {
  if (resource.kind !== "Project" || !reservedNamespaces.has(resource.metadata.name)) return;
  throw new UserError(`Cannot create ${formatRef(refOf(resource))}: the name is reserved`, { status: 409 });
}

function refuseApiToken(secret: Resource): void {
  if (!isApiToken(secret)) return;
  throw new UserError(`Cannot write ${formatRef(refOf(secret))}: API tokens are made by their own route`, {
    status: 403,
    hint: "POST /v1beta1/projects/<project>/roles/<role>/api-tokens",
  });
}
