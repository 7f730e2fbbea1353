import { UserError } from "#core/failure.ts";
import { type Resource, refOf } from "#core/resources/resource.ts";
import type { Api } from "#server/api/api.ts";
import { readManifest } from "#server/api/manifests/check.ts";
import { createResource, replaceResource } from "#server/api/manifests/create.ts";
import { deleteResource } from "#server/api/manifests/delete.ts";
import { authorizeManifest } from "#server/api/manifests/permission.ts";
import { kindOf, type Manifest, splitManifests } from "#server/api/manifests/split.ts";
import { redact } from "#server/api/redact.ts";
import type { Identity } from "#server/auth/identity.ts";
import { explainError } from "#server/errors.ts";
import type { Route, ServerContext } from "#server/route.ts";

/** What became of one manifest of several. */
interface Result {
  createdResourceManifest?: Resource;
  updatedResourceManifest?: Resource;
  deletedResourceManifest?: Resource;
  error?: string;
  /** With an error: the line of the body that the manifest begins in. */
  line?: number;
}

/** Creates, replaces and deletes resources of any kind by their manifests. */
export const resourceRoutes = (api: Api): Route[] => {
  const common = {
    path: "/v1beta1/resources",
    // The least that any caller needs; each manifest is then asked about by its kind and project.
    needs: "view",
    body: "text",
    maxBodyBytes: api.limits.manifestBytes,
  } as const;
  return [
    {
      ...common,
      method: "POST",
      id: "CreateResource",
      summary: "Create resources",
      answers: { 201: "What became of each." },
      handle: (c) => inTurn(c, api, 201, "first", create),
    },
    {
      ...common,
      method: "PUT",
      id: "UpdateResource",
      summary: "Update resources, or with `upsert=true` create those that are not there",
      query: { upsert: "`true` creates what is not there." },
      answers: { 200: "What became of each." },
      handle: (c) => inTurn(c, api, 200, "first", c.req.query("upsert") === "true" ? apply : update),
    },
    {
      ...common,
      method: "DELETE",
      id: "DeleteResource",
      summary: "Delete the resources that the manifests name",
      answers: { 200: "What became of each." },
      handle: (c) => inTurn(c, api, 200, "last", remove),
    },
  ];
};

type Work = (api: Api, resource: Resource, identity: Identity) => Promise<Result>;

/** One after another; a bad one does not stop the others. A single one answers with its own error. */
async function inTurn(
  c: ServerContext,
  api: Api,
  status: 200 | 201,
  foundationsGo: "first" | "last",
  work: Work,
): Promise<Response> {
  const { foundations, others } = splitManifests(await c.req.text());
  const manifests = foundationsGo === "first" ? [...foundations, ...others] : [...others, ...foundations];
  const identity = c.get("identity");
  const results: Result[] = [];
  for (const { manifest, line } of manifests) {
    try {
      results.push(await work(api, readManifest(manifest), identity));
    } catch (error) {
      if (manifests.length === 1) throw error;
      results.push({ error: explain(api, manifest, error), line });
    }
  }
  return c.json({ results }, status);
}

function explain(api: Api, manifest: Manifest, error: unknown): string {
  const told = explainError(error);
  if (told) return told.hint ? `${told.message} (${told.hint})` : told.message;
  api.log.error(`Cannot handle the manifest of a ${kindOf(manifest)}`, { error });
  return "internal server error";
}

const create: Work = async (api, resource, identity) => ({
  createdResourceManifest: redact(await createResource(api, resource, identity)),
});

const update: Work = async (api, resource, identity) => {
  const updated = await replaceResource(api, resource, identity);
  if (!updated) throw new UserError("resource does not exist", { status: 404 });
  return { updatedResourceManifest: redact(updated) };
};

const apply: Work = async (api, resource, identity) => {
  const updated = await replaceResource(api, resource, identity);
  return updated ? { updatedResourceManifest: redact(updated) } : create(api, resource, identity);
};

const remove: Work = async (api, resource, identity) => {
  authorizeManifest(identity, resource, "delete");
  return { deletedResourceManifest: redact(await deleteResource(api, refOf(resource))) };
};
