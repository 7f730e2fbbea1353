import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { mayRespond, type Responder } from "#core/promotion/gate-responses.ts";
import type { Gate } from "#core/promotion/gates.ts";
import { answerSource } from "#server/api/answer-source.ts";
import type { Api } from "#server/api/api.ts";
import { gateAddresses, gateFrom } from "#server/api/gate-address.ts";
import { createPlaces, type TakePlace, waitForGate } from "#server/api/gate-wait.ts";
import type { Identity } from "#server/auth/identity.ts";
import { isAllowed, rolesIn } from "#server/auth/policy.ts";
import { readJson } from "#server/body.ts";
import type { Route, ServerContext } from "#server/route.ts";

const DecisionRequest = z.object({
  message: z.string().max(4096).optional().describe("Why; kept in the record."),
});

const RespondRequest = z.strictObject({
  action: z.enum(["approve", "reject"]).optional().describe("For a gate that asks for approvals."),
  message: z.string().max(4096).optional().describe("Why; kept in the record."),
  values: z.record(z.string(), z.unknown()).optional().describe("For a gate that asks for input."),
});
export type RespondRequest = z.infer<typeof RespondRequest>;

/** Gates: what waits for somebody's yes or no. */
export function gateRoutes(api: Api): Route[] {
  const takePlace = createPlaces(api.limits.streams);
  return [...listRoutes(api), ...gateAddresses.flatMap((address) => routesAt(api, address, takePlace))];
}

const listRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/gates",
    id: "ListGates",
    summary: "List open gates of all projects, the oldest first",
    needs: "view",
    answers: { 200: "The gates." },
    handle: async (c) => c.json({ items: await api.gates.list(c.get("identity").project) }),
  },
  {
    method: "GET",
    path: "/v1beta1/projects/:project/gates",
    id: "ListProjectGates",
    summary: "List open gates of a project, the oldest first",
    needs: "view",
    answers: { 200: "The gates." },
    handle: async (c) => c.json({ items: await api.gates.list(c.req.param("project")) }),
  },
];

/** The same for each way to say which gate is meant. */
function routesAt(
  api: Api,
  { path, name, which }: (typeof gateAddresses)[number],
  takePlace: TakePlace,
): Route[] {
  return [
    {
      method: "GET",
      path,
      id: `Get${name}`,
      summary: `Tell how ${which} stands`,
      needs: "view",
      answers: { 200: "The gate." },
      handle: async (c) => c.json(await gateFrom(c, api)),
    },
    {
      method: "GET",
      path: `${path}/wait`,
      id: `WaitFor${name}`,
      summary: `Wait until ${which} is decided`,
      needs: "view",
      query: { timeout: "Seconds to wait, 600 at most; 60 by default." },
      answers: { 200: "It is released.", 202: "It is not decided yet." },
      handle: (c) => waitForGate(c, api, takePlace),
    },
    decisionRoute(api, `${path}/release`, "released", {
      id: `Release${name}`,
      summary: `Release ${which}: its promotion goes on`,
    }),
    decisionRoute(api, `${path}/deny`, "denied", {
      id: `Deny${name}`,
      summary: `Deny ${which}: its promotion fails`,
    }),
    {
      method: "POST",
      path: `${path}/respond`,
      id: `RespondTo${name}`,
      summary: `Respond to ${which} that asks for approvals or for input`,
      // Who may is up to the gate's own rules.
      needs: "view",
      body: RespondRequest,
      answers: { 200: "The gate, with the response." },
      handle: async (c) => c.json(await respond(c, api, await readJson(c, RespondRequest))),
    },
  ];
}

function decisionRoute(
  api: Api,
  path: string,
  decision: "released" | "denied",
  about: Pick<Route, "id" | "summary">,
): Route {
  return {
    ...about,
    method: "POST",
    path,
    needs: "promote",
    body: DecisionRequest,
    answers: { 200: "The gate, decided." },
    handle: async (c) => {
      const text = await c.req.text();
      const { message } = text === "" ? {} : await readJson(c, DecisionRequest);
      return c.json(await decide(c, api, decision, message));
    },
  };
}

/**
 * Decides, or adds a voice where the gate asks for approvals; 409 with how the gate stands when somebody else
 * was first.
 */
export async function decide(
  c: ServerContext,
  api: Api,
  decision: "released" | "denied",
  message?: string,
): Promise<Gate> {
  const { project, promotion, step, asks } = await gateFrom(c, api);
  if (asks?.kind === "approval") {
    const action = decision === "released" ? "approve" : "reject";
    return respond(c, api, { action, ...(message ? { message } : {}) });
  }
  const { actor } = c.get("identity");
  const outcome = await api.gates.decide({
    project,
    promotion,
    step,
    decision,
    by: actor,
    from: answerSource(c),
    ...(message ? { message } : {}),
  });
  return ifCounted(outcome);
}

/** Hands one person's response to the gate; 409 when it had been decided before. */
export async function respond(
  c: ServerContext,
  api: Api,
  { action, message, values }: RespondRequest,
): Promise<Gate> {
  const { project, promotion, step, asks } = await gateFrom(c, api);
  const responder = responderOf(c.get("identity"), project);
  const gate = { project, promotion, step, responder, from: answerSource(c) };
  if (values !== undefined && action === undefined) {
    return ifCounted(await api.gates.respond({ ...gate, values }));
  }
  if (action !== undefined && values === undefined) {
    return ifCounted(await api.gates.respond({ ...gate, action, ...(message ? { message } : {}) }));
  }
  const needed = asks?.kind === "input" ? "values" : "action: approve or action: reject";
  throw new UserError(`Cannot respond to gate "${step}": give ${needed}, and nothing else but a message`, {
    status: 400,
  });
}

/** Whether a page should offer the caller to answer; the answer itself is checked again. */
export function mayAnswer(identity: Identity, { project, asks }: Pick<Gate, "project" | "asks">): boolean {
  if (asks === undefined) return isAllowed(identity, "promote", project);
  return isAllowed(identity, "view", project) && mayRespond(asks, responderOf(identity, project));
}

export function responderOf(identity: Identity, project: string): Responder {
  const { actor, role, claims } = identity;
  const [, ...roles] = rolesIn(identity, project);
  return { user: actor, role, roles, claims: { sub: actor, ...claims } };
}

export function ifCounted({ decided, gate }: { decided: boolean; gate: Gate }): Gate {
  if (decided) return gate;
  throw new UserError(`Cannot decide gate "${gate.step}" of "${gate.promotion}": it was ${describe(gate)}`, {
    status: 409,
  });
}

function describe({ state, by, at }: Gate): string {
  if (state === "timedOut") return "too late: it timed out";
  return `${state} ${by ? `by ${by} ` : ""}${at ? `at ${at}` : ""}`.trim();
}
