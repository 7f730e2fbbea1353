import { type GateLink, refusal } from "#core/promotion/gate-links.ts";
import { type GateResource, isExpired, isOpen } from "#core/promotion/gate-resource.ts";
import type { Responder } from "#core/promotion/gate-responses.ts";
import { type Gate, toGate } from "#core/promotion/gates.ts";
import { answerSource } from "#server/api/answer-source.ts";
import type { Api } from "#server/api/api.ts";
import { ifCounted } from "#server/api/gates.ts";
import { isRole } from "#server/auth/api-tokens.ts";
import { isAllowed } from "#server/auth/policy.ts";
import type { ServerContext } from "#server/route.ts";

/** What a link that was not refused is about. */
export interface OpenLink {
  link: GateLink;
  gate: Gate;
}

/** Reads a link and finds its gate. Throws a UserError for a link that decides nothing. */
export async function openLink(api: Api, token: string): Promise<OpenLink> {
  const link = api.gateLinks.read(token);
  const found = await api.gates.find(link);
  if (found === undefined) throw await noGate(api, link);
  const gate = toGate(found);
  if (isOpen(found) && isExpired(found.spec, api.now())) throw refusal("the gate's time is up", 410);
  if (!isOpen(found)) throw refusal(endOf(found), 409);
  if (gate.asks?.kind === "input") throw refusal("the gate asks for input, which no link can hold", 400);
  return { link, gate };
}

/** Decides as the link says, in the name of whom it belongs to. A link of somebody who may no more is refused. */
export async function useLink(c: ServerContext, api: Api, token: string, message?: string): Promise<Gate> {
  const { link, gate } = await openLink(api, token);
  const { project, promotion, promotionUid, step, decision } = link;
  const holder = await currentHolder(api, link);
  const from = {
    ...answerSource(c, "link"),
    link: link.id,
    ...(link.madeFor !== undefined && { madeFor: link.madeFor }),
  };
  const address = { project, promotion, promotionUid, step, from, ...(message && { message }) };
  if (gate.asks?.kind === "approval") {
    const action = decision === "release" ? "approve" : "reject";
    return ifCounted(await api.gates.respond({ ...address, responder: holder, action }));
  }
  if (!mayDecide(holder, project)) throw refusal(`the gate does not ask ${holder.user}`, 403);
  const outcome = await api.gates.decide({
    ...address,
    decision: decision === "release" ? "released" : "denied",
    by: holder.user,
  });
  return ifCounted(outcome);
}

/** Links of the pipeline itself have no role: a gate that asks nobody in particular takes them. */
function mayDecide({ user, role, roles = [] }: Responder, project: string): boolean {
  if (role === "") return true;
  return [role, ...roles].some(
    (name) => isRole(name) && isAllowed({ actor: user, role: name, via: "bearer" }, "promote", project),
  );
}

/** A token that was taken back since takes its links with it; a later one of its name does not bring them back. */
async function currentHolder({ apiTokens }: Api, { holder, tokenUid = "" }: GateLink): Promise<Responder> {
  const [, namespace, name] = /^token:([^/]+)\/(.+)$/.exec(holder.user) ?? [];
  if (namespace !== undefined && name !== undefined) {
    const role = await apiTokens.roleOf(namespace, name, tokenUid);
    if (role !== holder.role) throw refusal(`the right of ${holder.user}, who had it made, has ended`, 403);
  }
  return { ...holder, claims: { sub: holder.user, ...holder.claims } };
}

async function noGate({ store }: Api, { project, promotion, promotionUid, step }: GateLink) {
  const found = await store.get({ kind: "Promotion", project, name: promotion });
  const finished = (found?.status as { finishedAt?: string } | undefined)?.finishedAt;
  if (found?.metadata.uid === promotionUid && finished === undefined)
    return refusal(`gate "${step}" is not open yet`, 409);
  return refusal("the promotion that it is for is over", 410);
}

function endOf({ status }: GateResource): string {
  const { state, by, at = "" } = status ?? {};
  if (state === "timedOut") return "nobody answered in time";
  return `the gate was ${state} by ${by} at ${at}`;
}
