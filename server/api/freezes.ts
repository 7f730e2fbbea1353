import { z } from "zod";
import type { FreezeScope } from "#core/stages/freeze.ts";
import type { Api } from "#server/api/api.ts";
import { readJson } from "#server/body.ts";
import type { Route, ServerContext } from "#server/route.ts";

const FreezeRequest = z.strictObject({
  reason: z.string().trim().min(1).max(1024).describe("Why; shown wherever it is felt."),
  abort: z.boolean().optional().describe("Whether promotions that run are ended too."),
});
export type FreezeRequest = z.infer<typeof FreezeRequest>;

/** Freezes: nothing is promoted to a stage, in a project, or at all. */
export const freezeRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/freezes",
    id: "ListFreezes",
    summary: "List what is frozen, by whom and why",
    needs: "view",
    answers: { 200: "The freezes." },
    handle: async (c) => c.json({ items: await api.freezes.list(c.get("identity").project) }),
  },
  {
    method: "GET",
    path: "/v1beta1/projects/:project/freezes",
    id: "ListProjectFreezes",
    summary: "List what is frozen that the project is under",
    needs: "view",
    answers: { 200: "The freezes." },
    handle: async (c) => c.json({ items: await api.freezes.list(c.req.param("project")) }),
  },
  ...routesFor(api, "/v1beta1/freeze", "Everything", "everything"),
  ...routesFor(api, "/v1beta1/projects/:project/freeze", "Project", "a project"),
  ...routesFor(api, "/v1beta1/projects/:project/stages/:stage/freeze", "Stage", "a stage"),
];

function routesFor(api: Api, path: string, id: string, what: string): Route[] {
  return [
    {
      method: "PUT",
      path,
      id: `Freeze${id}`,
      summary: `Freeze ${what}: no promotion starts there`,
      needs: "promote",
      body: FreezeRequest,
      answers: { 200: "The freeze." },
      handle: async (c) => {
        const { actor } = c.get("identity");
        return c.json(
          await api.freezes.freeze({ ...(await readJson(c, FreezeRequest)), ...scopeOf(c), actor }),
        );
      },
    },
    {
      method: "DELETE",
      path,
      id: `Unfreeze${id}`,
      summary: `End the freeze of ${what}`,
      needs: "promote",
      answers: { 204: "It is no longer frozen." },
      handle: async (c) => {
        await api.freezes.unfreeze({ ...scopeOf(c), actor: c.get("identity").actor });
        return c.body(null, 204);
      },
    },
  ];
}

function scopeOf(c: ServerContext): FreezeScope {
  const project = c.req.param("project");
  const stage = c.req.param("stage");
  return { ...(project === undefined ? {} : { project }), ...(stage === undefined ? {} : { stage }) };
}
