import { z } from "zod";
import { UserError } from "#core/failure.ts";
import type { FreightOrigin } from "#core/resources/freight.ts";
import type { Api } from "#server/api/api.ts";
import { findFreightByAlias } from "#server/api/freight-lookup.ts";
import { readJson } from "#server/body.ts";
import type { Route, ServerContext } from "#server/route.ts";

const PromoteRequest = z.object({
  freight: z.string().optional().describe("Name of the freight."),
  freightAlias: z.string().optional().describe("Alias of the freight."),
  origin: z.string().optional().describe("`Warehouse/<name>`: what auto-promotion would choose of it."),
  fromStage: z.string().optional().describe("Stage whose freight is promoted, all of it as one."),
  windowOverride: z
    .string()
    .max(1024)
    .optional()
    .describe("Why to promote although the stage's windows are closed; recorded."),
});
const PromoteDownstreamRequest = PromoteRequest.omit({ origin: true, fromStage: true });

const stagePath = "/v1beta1/projects/:project/stages/:stage";

/** What is done with a stage: freight is promoted into it or on from it, and verified in it. */
export const stageOperationRoutes = (api: Api): Route[] => [
  {
    method: "POST",
    path: `${stagePath}/promotions`,
    id: "PromoteToStage",
    summary: "Promote freight to a stage",
    needs: "promote",
    body: PromoteRequest,
    answers: { 201: "The Promotion." },
    handle: (c) => promoteToStage(c, api),
  },
  {
    method: "POST",
    path: `${stagePath}/promotions/downstream`,
    id: "PromoteDownstream",
    summary: "Promote freight to all stages right after a stage",
    needs: "promote",
    body: PromoteDownstreamRequest,
    answers: { 201: "The Promotions.", 207: "The Promotions, and what went wrong with others." },
    handle: (c) => promoteDownstream(c, api),
  },
  {
    method: "POST",
    path: `${stagePath}/verification`,
    id: "Reverify",
    summary: "Verify a stage's current freight again",
    needs: "promote",
    answers: { 200: "It will be verified." },
    handle: async (c) => {
      await api.stages.reverify({ ...namesFrom(c), actor: c.get("identity").actor });
      return c.body(null, 200);
    },
  },
  {
    method: "POST",
    path: `${stagePath}/verification/abort`,
    id: "AbortVerification",
    summary: "Abort the verification that a stage's current freight is in",
    needs: "promote",
    answers: { 200: "It will be aborted, or has ended already." },
    handle: async (c) => {
      await api.stages.abortVerification({ ...namesFrom(c), actor: c.get("identity").actor });
      return c.body(null, 200);
    },
  },
];

async function promoteToStage(c: ServerContext, api: Api): Promise<Response> {
  const { project, stage } = namesFrom(c);
  const { freight, freightAlias, origin, fromStage, windowOverride } = await readJson(c, PromoteRequest);
  requireOne(
    { freight, freightAlias, origin, fromStage },
    "exactly one of freight, freightAlias, or origin must be provided",
  );
  const chosen = fromStage
    ? { fromStage }
    : origin
      ? { origin: parseOrigin(origin) }
      : { freight: await freightName(api, project, freight, freightAlias) };
  const { actor } = c.get("identity");
  return c.json(await api.stages.promote({ project, stage, actor, windowOverride, ...chosen }), 201);
}

function parseOrigin(text: string): FreightOrigin {
  const [kind, name, ...rest] = text.split("/");
  if (kind !== "Warehouse" || !name || rest.length > 0) {
    throw new UserError(`invalid origin "${text}": expected "Warehouse/<name>"`);
  }
  return { kind, name };
}

async function promoteDownstream(c: ServerContext, api: Api): Promise<Response> {
  const { project, stage } = namesFrom(c);
  const { freight: name, freightAlias, windowOverride } = await readJson(c, PromoteDownstreamRequest);
  requireOne({ name, freightAlias }, "exactly one of freight or freightAlias must be provided");
  const freight = await freightName(api, project, name, freightAlias);
  const { actor } = c.get("identity");
  const request = { project, stage, freight, actor, windowOverride };
  const { promotions, errors } = await api.stages.promoteDownstream(request);
  if (errors.length === 0) return c.json({ promotions }, 201);
  return c.json({ promotions, errors: errors.map(({ message }) => message).join("\n") }, 207);
}

/** Freight may be named by its alias too. */
async function freightName(
  api: Api,
  project: string,
  name: string | undefined,
  alias: string | undefined,
): Promise<string> {
  if (name) return name;
  const freight = await findFreightByAlias(api, project, alias as string);
  if (freight) return freight.metadata.name;
  throw new UserError(`Freight with alias "${alias}" not found in project "${project}"`, { status: 404 });
}

function namesFrom(c: ServerContext): { project: string; stage: string } {
  return { project: c.req.param("project") as string, stage: c.req.param("stage") as string };
}

function requireOne(choices: Record<string, string | undefined>, message: string): void {
  if (Object.values(choices).filter(Boolean).length !== 1) throw new UserError(message);
}
