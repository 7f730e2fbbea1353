import type { Resource } from "#core/resources/resource.ts";
import { type Api, getResource } from "#server/api/api.ts";
import { presenter } from "#server/api/extensions.ts";
import { byName } from "#server/api/lists.ts";
import { deleteResource } from "#server/api/manifests/delete.ts";
import { isWatch, watchResources } from "#server/api/watch.ts";
import type { Route, ServerContext } from "#server/route.ts";

export const projectRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/projects",
    id: "ListProjects",
    summary: "List projects",
    needs: "view",
    query: {
      filter: "Only projects whose name contains this, in any case.",
      uid: "Only projects with one of these UIDs.",
      mine: "Only projects that the caller may touch.",
      pageSize: "At most this many.",
      page: "Which page of that size, counted from 0.",
      watch: "`true` streams changes.",
    },
    answers: { 200: "The projects, by name." },
    handle: (c) => (isWatch(c) ? watchProjects(c, api) : listProjects(c, api)),
  },
  {
    method: "GET",
    path: "/v1beta1/projects/:project",
    id: "GetProject",
    summary: "Get a project",
    needs: "view",
    answers: { 200: "The project." },
    handle: async (c) => c.json(presenter(c)(await getResource(api.store, projectRef(c)))),
  },
  {
    method: "DELETE",
    path: "/v1beta1/projects/:project",
    id: "DeleteProject",
    summary: "Delete a project and all that belongs to it",
    needs: "edit",
    answers: { 204: "It is gone." },
    handle: async (c) => {
      await deleteResource(api, projectRef(c));
      return c.body(null, 204);
    },
  },
];

function projectRef(c: ServerContext) {
  return { kind: "Project", name: c.req.param("project") as string };
}

function visible(c: ServerContext): (project: Resource) => boolean {
  const { project } = c.get("identity");
  return (resource) => project === undefined || resource.metadata.name === project;
}

function watchProjects(c: ServerContext, api: Api): Response {
  return watchResources(c, api, { kind: "Project", fits: visible(c) });
}

async function listProjects(c: ServerContext, api: Api): Promise<Response> {
  const filter = c.req.query("filter")?.toLowerCase() ?? "";
  const uids = c.req.queries("uid") ?? [];
  const projects = (await api.store.list({ kind: "Project" }))
    .filter(visible(c))
    .filter(({ metadata }) => metadata.name.toLowerCase().includes(filter))
    .filter(({ metadata }) => uids.length === 0 || uids.includes(metadata.uid ?? ""))
    .sort(byName);
  const pageSize = Number(c.req.query("pageSize")) || 0;
  const page = Number(c.req.query("page")) || 0;
  const items = pageSize > 0 ? projects.slice(page * pageSize, (page + 1) * pageSize) : projects;
  return c.json({ items: items.map(presenter(c)), total: projects.length });
}
