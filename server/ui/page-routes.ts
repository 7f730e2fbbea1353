import { getCookie } from "hono/cookie";
import { z } from "zod";
import { valuesFromText } from "#core/promotion/gate-input.ts";
import type { Gate } from "#core/promotion/gates.ts";
import type { Api } from "#server/api/api.ts";
import { gateFrom } from "#server/api/gate-address.ts";
import { decide, mayAnswer, type RespondRequest, respond } from "#server/api/gates.ts";
import { sessionCookie } from "#server/auth/guard.ts";
import { explainError } from "#server/errors.ts";
import type { Route, ServerContext } from "#server/route.ts";
import type { SseMessage } from "#server/sse.ts";
import { gatePath as pagePath } from "#server/ui/gate-card.ts";
import { type FormValues, inputPrefix } from "#server/ui/gate-forms.ts";
import { gatePage } from "#server/ui/gate-page.ts";
import { loginPage } from "#server/ui/login-page.ts";
import { loadStatus } from "#server/ui/pipeline-view.ts";
import { statusPage } from "#server/ui/status-page.ts";

const DecisionForm = z.object({
  decision: z.enum(["release", "deny"]),
  message: z.string().max(4096).optional(),
});
const ApprovalForm = z.object({
  action: z.enum(["approve", "reject"]),
  message: z.string().max(4096).optional(),
});
const PromoteForm = z.object({ freight: z.string().min(1) });
const FreezeForm = z.object({ stage: z.string().optional(), reason: z.string().trim().max(1024).optional() });

const gatePath = "/gates/:project/:promotion/:step";

/** The pages, and what their buttons do. */
export const pageRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/",
    id: "StatusPage",
    summary: "The status page, or the way to sign in to it",
    needs: "view",
    query: { project: "The project to show." },
    answers: { 200: "A page." },
    handle: async (c) => {
      const cookie = getCookie(c, sessionCookie);
      const known = cookie ? await api.authenticator.identify(cookie) : undefined;
      if (!known) return c.html(loginPage({ next: pathOf(c) }));
      return c.html(statusPage(await loadStatus(api, { ...known, via: "cookie" }, c.req.query("project"))));
    },
  },
  {
    method: "GET",
    path: "/ui/events",
    id: "StatusEvents",
    summary: "Tell the status page that something has changed",
    needs: "view",
    query: { project: "The project that is shown." },
    answers: { 200: "A stream of server-sent events." },
    handle: (c) => {
      const { project } = c.get("identity");
      return api.streams.stream(c, (signal) => changes(api, project ?? c.req.query("project"), signal));
    },
  },
  {
    method: "POST",
    path: "/ui/projects/:project/stages/:stage/promote",
    id: "PromoteFromPage",
    summary: "Promote freight to a stage, from the status page",
    needs: "promote",
    answers: { 303: "Promoted.", 400: "The status page, with what went wrong." },
    handle: async (c) => {
      const project = c.req.param("project") as string;
      const stage = c.req.param("stage") as string;
      const identity = c.get("identity");
      return orTell(
        c,
        async () => {
          const { freight } = PromoteForm.parse(Object.fromEntries(await c.req.formData()));
          await api.stages.promote({ project, stage, freight, actor: identity.actor });
          return `/?project=${encodeURIComponent(project)}#stage-${stage}`;
        },
        async (error) => statusPage(await loadStatus(api, identity, project), error),
      );
    },
  },
  freezeRoute(api, "freeze"),
  freezeRoute(api, "unfreeze"),
  {
    method: "GET",
    path: gatePath,
    id: "GatePage",
    summary: "A gate as a page, or as JSON for who asks for it",
    needs: "view",
    answers: { 200: "The gate." },
    handle: async (c) => {
      const gate = await gateFrom(c, api);
      return wantsPage(c) ? c.html(gatePage(gate, mayAnswer(c.get("identity"), gate))) : c.json(gate);
    },
  },
  {
    method: "POST",
    path: gatePath,
    id: "DecideFromPage",
    summary: "Release or deny a gate, from a page",
    needs: "promote",
    answers: { 303: "Decided.", 409: "The gate's page: somebody else was first." },
    handle: async (c) =>
      orTell(
        c,
        async () => {
          const { decision, message } = DecisionForm.parse(Object.fromEntries(await c.req.formData()));
          await decide(c, api, decision === "release" ? "released" : "denied", message);
          return pathOf(c);
        },
        (error) => gatePageWith(c, api, error),
      ),
  },
  {
    method: "POST",
    path: `${gatePath}/respond`,
    id: "RespondFromPage",
    summary: "Respond to a gate that asks for approvals or for input, from a page",
    needs: "view",
    answers: { 303: "Counted.", 400: "The gate's page, with what did not fit." },
    handle: async (c) => {
      const texts = textsOf(await c.req.formData());
      return orTell(
        c,
        async () => {
          const gate = await gateFrom(c, api);
          await respond(c, api, responseFrom(gate, texts));
          return pagePath(gate);
        },
        (error) => gatePageWith(c, api, error, texts),
      );
    },
  },
];

function freezeRoute(api: Api, verb: "freeze" | "unfreeze"): Route {
  return {
    method: "POST",
    path: `/ui/projects/:project/${verb}`,
    id: verb === "freeze" ? "FreezeFromPage" : "UnfreezeFromPage",
    summary: `${verb === "freeze" ? "Freeze" : "Unfreeze"} a project or a stage of it, from the status page`,
    needs: "promote",
    answers: { 303: "Done.", 400: "The status page, with what went wrong." },
    handle: async (c) => {
      const project = c.req.param("project") as string;
      const identity = c.get("identity");
      const { actor } = identity;
      return orTell(
        c,
        async () => {
          const { stage, reason } = FreezeForm.parse(Object.fromEntries(await c.req.formData()));
          const scope = { project, ...(stage ? { stage } : {}) };
          if (verb === "unfreeze") await api.freezes.unfreeze({ ...scope, actor });
          else await api.freezes.freeze({ ...scope, reason: reason || "from the status page", actor });
          return `/?project=${encodeURIComponent(project)}`;
        },
        async (error) => statusPage(await loadStatus(api, identity, project), error),
      );
    },
  };
}

async function gatePageWith(c: ServerContext, api: Api, error: string, given?: FormValues) {
  const gate = await gateFrom(c, api);
  return gatePage(gate, mayAnswer(c.get("identity"), gate), { error, given });
}

function textsOf(form: FormData): Map<string, string> {
  return new Map([...form].map(([name, value]) => [name, String(value)]));
}

function responseFrom({ asks }: Gate, given: FormValues): RespondRequest {
  const texts = [...given];
  if (asks?.kind !== "input") return ApprovalForm.parse(Object.fromEntries(texts));
  const fields = texts
    .filter(([name]) => name.startsWith(inputPrefix))
    .map(([name, text]) => [name.slice(inputPrefix.length), text] as const);
  return { values: valuesFromText(asks.schema, fields) };
}

/** Goes on to the address that `work` gives, or shows a page that tells what went wrong. */
async function orTell(
  c: ServerContext,
  work: () => Promise<string>,
  page: (error: string) => Promise<ReturnType<typeof statusPage>>,
): Promise<Response> {
  try {
    return c.redirect(await work(), 303);
  } catch (error) {
    const told =
      error instanceof z.ZodError
        ? { status: 400, message: "The form was not complete." }
        : explainError(error);
    if (!told) throw error;
    return c.html(await page(told.message), told.status as 400);
  }
}

export function wantsPage(c: ServerContext): boolean {
  return c.req.header("Accept")?.includes("text/html") ?? false;
}

function pathOf(c: ServerContext): string {
  const { pathname, search } = new URL(c.req.url);
  return pathname + search;
}

const shownKinds: ReadonlySet<string> = new Set([
  "Freeze",
  "Project",
  "Warehouse",
  "Stage",
  "Freight",
  "Promotion",
  "Gate",
]);

/** One event for each burst of changes that the page shows; the page then asks for itself anew. */
async function* changes(
  api: Api,
  project: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<SseMessage> {
  yield { event: "hello", data: "{}" };
  for await (const { change } of api.feed.follow(signal)) {
    const { kind, metadata } = change.resource;
    // Gates of every project are shown, and new projects appear in the list.
    const isShown = kind === "Gate" || kind === "Project" || !project || metadata.namespace === project;
    if (shownKinds.has(kind) && isShown) yield { event: "changed", data: "{}" };
  }
}
