import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { gateLinkFolder } from "#core/promotion/gate-links.ts";
import type { Api } from "#server/api/api.ts";
import { openLink, useLink } from "#server/api/gate-link-use.ts";
import { refuseForeignPages } from "#server/auth/guard.ts";
import { explainError } from "#server/errors.ts";
import type { Route, ServerContext } from "#server/route.ts";
import { gateLinkDone, gateLinkPage, gateLinkRefused } from "#server/ui/gate-link-page.ts";
import type { Markup } from "#server/ui/markup.ts";
import { wantsPage } from "#server/ui/page-routes.ts";

const Confirmation = z.object({
  decision: z.enum(["release", "deny"]),
  message: z.string().max(4096).optional(),
});

const path = `${gateLinkFolder}/:token`;

/** Where signed links lead: a page that asks, and the button on it, which decides. */
export const gateLinkPageRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path,
    id: "GateLinkPage",
    summary: "Tell what a signed link would decide, and ask whether it is meant",
    needs: "view",
    answers: { 200: "A page with a button, or JSON for who asks for that." },
    handle: (c) =>
      orTell(c, async () => {
        const open = await openLink(api, tokenOf(c));
        return wantsPage(c) ? c.html(gateLinkPage(open)) : c.json(told(open));
      }),
  },
  {
    method: "POST",
    path,
    id: "UseGateLink",
    summary: "Decide a gate by a signed link",
    needs: "view",
    answers: { 200: "Decided." },
    handle: (c) =>
      orTell(c, async () => {
        refuseForeignPages(c, api.publicUrl);
        const { link } = await openLink(api, tokenOf(c));
        const { decision, message } = await confirmation(c);
        if (decision !== link.decision)
          throw new UserError(`This link can ${link.decision}, and you asked to ${decision}`);
        const gate = await useLink(c, api, tokenOf(c), message);
        return wantsPage(c) ? c.html(gateLinkDone({ link, gate })) : c.json(told({ link, gate }));
      }),
  },
];

function tokenOf(c: ServerContext): string {
  return c.req.param("token") ?? "";
}

/** Of a form or of JSON. */
async function confirmation(c: ServerContext): Promise<z.infer<typeof Confirmation>> {
  const isJson = c.req.header("Content-Type")?.startsWith("application/json") ?? false;
  const given = isJson ? await c.req.json().catch(() => undefined) : await c.req.parseBody();
  const parsed = Confirmation.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new UserError("Say in the body what you mean: decision=release or decision=deny");
}

/** As much of a gate as the link's page shows. */
function told({ link, gate }: Awaited<ReturnType<typeof openLink>>) {
  const { project, stage, promotion, step, message, state } = gate;
  const { decision, expiresAt, madeFor } = link;
  return { project, stage, promotion, step, message, state, decision, expiresAt, madeFor };
}

async function orTell(c: ServerContext, work: () => Promise<Response>): Promise<Response> {
  // Neither search engines nor previews have anything to do here.
  c.header("X-Robots-Tag", "noindex, nofollow");
  try {
    return await work();
  } catch (error) {
    const refused = explainError(error);
    if (refused === undefined || !wantsPage(c)) throw error;
    const page: Markup = gateLinkRefused(refused.message);
    return c.html(page, refused.status as 400);
  }
}
