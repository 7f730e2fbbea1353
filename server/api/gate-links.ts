import { z } from "zod";
import { UserError } from "#core/failure.ts";
import type { GateQuestion } from "#core/gate.ts";
import { maxLinkMilliseconds } from "#core/promotion/gate-links.ts";
import { gateLinkMade } from "#core/promotion/gate-records.ts";
import { type GateResource, isOpen } from "#core/promotion/gate-resource.ts";
import type { Responder } from "#core/promotion/gate-responses.ts";
import { Duration, parseDuration } from "#core/resources/duration.ts";
import { answerSource } from "#server/api/answer-source.ts";
import type { Api } from "#server/api/api.ts";
import { gateFrom } from "#server/api/gate-address.ts";
import { mayAnswer, responderOf } from "#server/api/gates.ts";
import { isRole } from "#server/auth/api-tokens.ts";
import { forbidden } from "#server/auth/guard.ts";
import { readJson } from "#server/body.ts";
import type { Route, ServerContext } from "#server/route.ts";

const LinkRequest = z.strictObject({
  decision: z.enum(["release", "deny"]).describe("What the link does; on an approval, approve or reject."),
  expiresIn: Duration.default("24h").describe("How long it is good for, such as 2h; at most 720h."),
  for: z.string().min(1).max(200).optional().describe("Whom it is for; kept in the record."),
});

/** Signed links: each names one decision about one gate, and carries the right of who had it made. */
export const gateLinkRoutes = (api: Api): Route[] => [
  {
    method: "POST",
    path: "/v1beta1/projects/:project/gates/:promotion/:step/links",
    id: "MakeGateLink",
    summary: "Make a link that decides a gate, once, for who has it",
    // Whoever may answer may have others answer in their name.
    needs: "view",
    body: LinkRequest,
    answers: { 201: "The link. It is shown this once." },
    handle: async (c) => c.json(await makeLink(c, api), 201),
  },
];

async function makeLink(c: ServerContext, api: Api) {
  const request = await readJson(c, LinkRequest);
  const { project, promotion, step } = await gateFrom(c, api);
  const gate = await api.gates.find({ project, promotion, step });
  if (gate === undefined || !isOpen(gate)) throw cannot(step, "it is decided already", 409);
  const identity = c.get("identity");
  if (gate.spec.asks?.kind === "input") throw cannot(step, "it asks for input, which no link can hold", 400);
  if (!mayAnswer(identity, { project, asks: gate.spec.asks }))
    throw forbidden(identity, "make a link to a gate that does not ask you");

  const expiresAt = new Date(api.now().getTime() + lifetime(step, request.expiresIn));
  const { decision, for: madeFor } = request;
  const { url, id } = api.gateLinks.mint({
    project,
    promotion,
    promotionUid: gate.spec.promotionUid,
    step,
    decision,
    expiresAt,
    holder: holderFor(responderOf(identity, project), gate.spec.asks),
    ...(identity.tokenUid !== undefined && { tokenUid: identity.tokenUid }),
    ...(madeFor !== undefined && { madeFor }),
  });
  await record(api, gate, {
    by: identity.actor,
    decision,
    id,
    madeFor,
    expiresAt,
    from: answerSource(c),
  });
  return { url, id, decision, expiresAt: expiresAt.toISOString(), ...(madeFor && { for: madeFor }) };
}

/** With no more of claims and roles than the gate asks about: whoever has the link can read it. */
function holderFor({ user, role, roles = [], claims }: Responder, asks: GateQuestion | undefined): Responder {
  const rules = asks?.responders ?? [];
  const isWanted = ([name]: [string, unknown]) =>
    rules.some(({ claim }) => claim === name && (name !== "sub" || claims.sub !== user));
  return {
    user,
    role,
    roles: roles.filter((name) => (asks ? rules.some((rule) => rule.role === name) : isRole(name))),
    claims: Object.fromEntries(Object.entries(claims).filter(isWanted)),
  };
}

async function record(
  { store, now }: Api,
  gate: GateResource,
  link: Parameters<typeof gateLinkMade>[1],
): Promise<void> {
  await store.write(gateLinkMade(gate, link, now()));
}

function lifetime(step: string, text: string): number {
  const milliseconds = parseDuration(text) ?? 0;
  if (milliseconds > 0 && milliseconds <= maxLinkMilliseconds) return milliseconds;
  throw cannot(step, `expiresIn must be longer than nothing and at most 720h, and is ${text}`, 400);
}

function cannot(step: string, why: string, status: number): UserError {
  return new UserError(`Cannot make a link to gate "${step}": ${why}`, { status });
}
