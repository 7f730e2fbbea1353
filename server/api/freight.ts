import { uniqueAlias } from "#core/artifacts/prepare-freight.ts";
import { UserError } from "#core/failure.ts";
import { applyDefaults } from "#core/resources/admission.ts";
import type { Freight } from "#core/resources/freight.ts";
import { type Resource, refOf } from "#core/resources/resource.ts";
import { type Api, changeResource } from "#server/api/api.ts";
import { getFreight } from "#server/api/freight-lookup.ts";
import { groupFreight, parseFreightOrder } from "#server/api/freight-query.ts";
import { deleteResource } from "#server/api/manifests/delete.ts";
import { requireFreeAlias, unlessTaken } from "#server/api/manifests/freight-alias.ts";
import { isWatch, watchResource, watchResources } from "#server/api/watch.ts";
import type { Route, ServerContext } from "#server/route.ts";

const folder = "/v1beta1/projects/:project/freight";
const one = `${folder}/:freight-name-or-alias`;

export const freightRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: folder,
    id: "QueryFreightsRest",
    summary: "Query freight, or watch it",
    needs: "view",
    query: {
      stage: "Only freight that this stage may take.",
      origins: "Only freight of these warehouses.",
      groupBy: "image_repo, git_repo or chart_repo.",
      group: "Only the group of this repository.",
      orderBy: "first_seen or tag.",
      reverse: "`true` turns the order round.",
      watch: "`true` streams changes as server-sent events.",
      resourceVersion: "Place to stream from: `resourceVersion` of an answer.",
    },
    answers: { 200: "Freight by group." },
    handle: (c) => queryFreight(c, api),
  },
  {
    method: "GET",
    path: one,
    id: "GetFreight",
    summary: "Get freight by name or alias, or watch it",
    needs: "view",
    query: { watch: "`true` streams changes as server-sent events." },
    answers: { 200: "The freight." },
    handle: async (c) => {
      const freight = await freightFrom(c, api);
      return isWatch(c) ? watchResource(c, api, refOf(freight as Resource)) : c.json(freight);
    },
  },
  {
    method: "DELETE",
    path: one,
    id: "DeleteFreight",
    summary: "Delete freight that no stage holds",
    needs: "edit",
    answers: { 204: "It is gone." },
    handle: async (c) => {
      await deleteResource(api, refOf((await freightFrom(c, api)) as Resource));
      return c.body(null, 204);
    },
  },
  {
    method: "POST",
    path: `${one}/approve`,
    id: "ApproveFreight",
    summary: "Let a stage take freight that was not verified upstream",
    needs: "promote",
    query: { stage: "The stage." },
    answers: { 200: "It is approved." },
    handle: async (c) => {
      await approve(c, api);
      return c.body(null, 200);
    },
  },
  {
    method: "PATCH",
    path: `${one}/alias`,
    id: "PatchFreightAlias",
    summary: "Give freight another alias",
    needs: "edit",
    query: { newAlias: "The alias." },
    answers: { 200: "It has the alias." },
    handle: async (c) => {
      await changeAlias(c, api);
      return c.body(null, 200);
    },
  },
];

function projectOf(c: ServerContext): string {
  return c.req.param("project") as string;
}

function freightFrom(c: ServerContext, api: Api): Promise<Freight> {
  return getFreight(api, projectOf(c), c.req.param("freight-name-or-alias") as string);
}

async function queryFreight(c: ServerContext, api: Api): Promise<Response> {
  const project = projectOf(c);
  const origins = c.req.queries("origins") ?? [];
  const comesFrom = (freight: Resource) =>
    origins.length === 0 || origins.includes((freight as Freight).origin.name);
  if (isWatch(c)) return watchResources(c, api, { kind: "Freight", project, fits: comesFrom });

  const order = parseFreightOrder(c.req.query());
  const stage = c.req.query("stage");
  const position = api.feed.position();
  const freight = stage
    ? await api.stages.availableFreight(project, stage)
    : (await api.store.list({ kind: "Freight", project })).filter(comesFrom);
  const groups = [...groupFreight(freight as Freight[], order)].map(([key, items]) => [key, { items }]);
  // What is available to a stage depends on more than freight: no place in its changes would be the right one.
  return c.json({ groups: Object.fromEntries(groups), ...(stage ? {} : { resourceVersion: position }) });
}

async function approve(c: ServerContext, api: Api): Promise<void> {
  const stage = c.req.query("stage");
  if (!stage) throw new UserError("stage query parameter is required");
  const { metadata } = await freightFrom(c, api);
  const { actor } = c.get("identity");
  await api.stages.approveFreight({ project: projectOf(c), stage, freight: metadata.name, actor });
}

async function changeAlias(c: ServerContext, api: Api): Promise<void> {
  const alias = c.req.query("newAlias");
  if (!alias) throw new UserError("newAlias query parameter is required");
  const ref = refOf((await freightFrom(c, api)) as Resource);
  await requireFreeAlias(api, projectOf(c), alias, ref.name);
  const edit = (resource: Resource) => {
    Object.assign(resource, applyDefaults({ ...resource, alias } as Resource, api.now()));
  };
  await unlessTaken(projectOf(c), alias, changeResource(api.store, ref, edit, [uniqueAlias(ref)]));
}
