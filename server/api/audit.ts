import { UserError } from "#core/failure.ts";
import type { Api } from "#server/api/api.ts";
import type { Route, ServerContext } from "#server/route.ts";

const mostEntries = 1000;

/** Who decided what, when, from where and why. Kept longer than events, and never changed. */
export const auditRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/projects/:project/audit",
    id: "ListProjectAudit",
    summary: "List the audit log of a project, the oldest first",
    needs: "administer",
    query: pageQuery,
    answers: { 200: "The entries." },
    handle: async (c) =>
      c.json({ items: await api.store.audit({ project: c.req.param("project"), ...pageOf(c) }) }),
  },
  {
    method: "GET",
    path: "/v1beta1/system/audit",
    id: "ListAudit",
    summary: "List the audit log of all projects, the oldest first",
    needs: "administer",
    query: pageQuery,
    answers: { 200: "The entries." },
    handle: async (c) => c.json({ items: await api.store.audit(pageOf(c)) }),
  },
];

const pageQuery = {
  after: `The id of the last entry already seen; up to ${mostEntries} of those after it are listed, the newest without it.`,
};

function pageOf(c: ServerContext): { after?: number; limit: number } {
  const after = c.req.query("after");
  if (after === undefined) return { limit: mostEntries };
  if (/^\d{1,15}$/.test(after)) return { after: Number(after), limit: mostEntries };
  throw new UserError(`Cannot list after "${after}": expected the id of an entry`);
}
