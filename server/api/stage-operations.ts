import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { type Freight, originKey } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { type Api, annotate } from "#server/api/api.ts";
import { findFreightByAlias, findFreightByName } from "#server/api/freight-lookup.ts";
import { keys } from "#server/api/keys.ts";
import { readJson } from "#server/body.ts";
import { explainError } from "#server/errors.ts";
import type { Route, ServerContext } from "#server/route.ts";

const PromoteRequest = z.object({
  freight: z.string().optional().describe("Name of the freight."),
  freightAlias: z.string().optional().describe("Alias of the freight."),
  origin: z.string().optional().describe("`Warehouse/<name>`: what auto-promotion would choose of it."),
});
const PromoteDownstreamRequest = PromoteRequest.omit({ origin: true });

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
      const { ref, verification } = await currentVerification(c, api);
      await askForVerification(c, api, ref, keys.reverify, verification.id);
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
      const { ref, verification } = await currentVerification(c, api);
      if (!terminalPhases.has(verification.phase ?? "")) {
        await askForVerification(c, api, ref, keys.abort, verification.id);
      }
      return c.body(null, 200);
    },
  },
];

async function promoteToStage(c: ServerContext, api: Api): Promise<Response> {
  const { project, stage } = namesFrom(c);
  const { freight, freightAlias, origin } = await readJson(c, PromoteRequest);
  requireOne(
    { freight, freightAlias, origin },
    "exactly one of freight, freightAlias, or origin must be provided",
  );
  await getStage(api, project, stage);
  const chosen = origin
    ? { origin: parseOrigin(origin) }
    : { freight: (await getNamedFreight(api, project, freight, freightAlias)).metadata.name };
  const { actor } = c.get("identity");
  return c.json(await api.stages.promote({ project, stage, actor, ...chosen }), 201);
}

function parseOrigin(text: string): { kind: "Warehouse"; name: string } {
  const [kind, name, ...rest] = text.split("/");
  if (kind !== "Warehouse" || !name || rest.length > 0) {
    throw new UserError(`invalid origin "${text}": expected "Warehouse/<name>"`);
  }
  return { kind, name };
}

async function promoteDownstream(c: ServerContext, api: Api): Promise<Response> {
  const { project, stage } = namesFrom(c);
  const { freight: name, freightAlias } = await readJson(c, PromoteDownstreamRequest);
  requireOne({ name, freightAlias }, "exactly one of freight or freightAlias must be provided");
  await getStage(api, project, stage);
  const freight = await getNamedFreight(api, project, name, freightAlias);
  const downstream = await findDownstream(api, project, stage, freight);
  if (downstream.length === 0)
    throw new UserError(`Stage "${stage}" has no downstream stages`, { status: 404 });
  await requireAvailable(api, project, downstream, freight);

  const promotions: Resource[] = [];
  const errors: string[] = [];
  for (const { metadata, spec } of downstream) {
    // A stage without steps has nothing to promote: freight passes it by being verified upstream.
    if (!spec.promotionTemplate?.spec.steps?.length) continue;
    const request = {
      project,
      stage: metadata.name,
      freight: freight.metadata.name,
      actor: c.get("identity").actor,
    };
    try {
      promotions.push(await api.stages.promote(request));
    } catch (error) {
      const told = explainError(error);
      if (!told) throw error;
      errors.push(told.message);
    }
  }
  return errors.length > 0
    ? c.json({ promotions, errors: errors.join("\n") }, 207)
    : c.json({ promotions }, 201);
}

async function findDownstream(api: Api, project: string, stage: string, freight: Freight): Promise<Stage[]> {
  const stages = (await api.store.list({ kind: "Stage", project })) as Stage[];
  const takes = ({ spec }: Stage) =>
    spec.requestedFreight.some(
      ({ origin, sources }) =>
        originKey(origin) === originKey(freight.origin) && sources.stages?.includes(stage),
    );
  return stages.filter(takes);
}

/** All or none: freight that one of the stages may not take is promoted to none of them. */
async function requireAvailable(api: Api, project: string, stages: Stage[], freight: Freight): Promise<void> {
  for (const { metadata } of stages) {
    const available = await api.stages.availableFreight(project, metadata.name);
    if (available.some(({ metadata: { name } }) => name === freight.metadata.name)) continue;
    throw new UserError(
      `Freight "${freight.metadata.name}" is not available to downstream Stage "${metadata.name}"`,
    );
  }
}

async function getNamedFreight(
  api: Api,
  project: string,
  name: string | undefined,
  alias: string | undefined,
): Promise<Freight> {
  const freight = name
    ? await findFreightByName(api, project, name)
    : await findFreightByAlias(api, project, alias as string);
  if (freight) return freight;
  const what = name ? `Freight "${name}"` : `Freight with alias "${alias}"`;
  throw new UserError(`${what} not found in project "${project}"`, { status: 404 });
}

async function getStage(api: Api, project: string, name: string): Promise<Stage> {
  const stage = await api.store.get({ kind: "Stage", project, name });
  if (stage) return stage as Stage;
  throw new UserError(`Stage "${name}" not found in project "${project}"`, { status: 404 });
}

const terminalPhases: ReadonlySet<string> = new Set([
  "Successful",
  "Failed",
  "Error",
  "Aborted",
  "Inconclusive",
]);

/** The latest verification of what the stage holds now. */
async function currentVerification(c: ServerContext, api: Api) {
  const { project, stage } = namesFrom(c);
  const { status } = await getStage(api, project, stage);
  const held = status?.freightHistory?.[0];
  if (Object.keys(held?.items ?? {}).length === 0) throw new UserError("stage has no current freight");
  const verification = held?.verificationHistory?.[0];
  if (!verification) throw new UserError("stage has no current verification info");
  return { ref: { kind: "Stage", project, name: stage }, verification };
}

async function askForVerification(
  c: ServerContext,
  api: Api,
  ref: { kind: string; project: string; name: string },
  key: string,
  id: string | undefined,
): Promise<void> {
  if (!id) throw new UserError("current stage verification info has no ID");
  await annotate(api, ref, key, JSON.stringify({ id, actor: c.get("identity").actor }));
}

function namesFrom(c: ServerContext): { project: string; stage: string } {
  return { project: c.req.param("project") as string, stage: c.req.param("stage") as string };
}

function requireOne(choices: Record<string, string | undefined>, message: string): void {
  if (Object.values(choices).filter(Boolean).length !== 1) throw new UserError(message);
}
