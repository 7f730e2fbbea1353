import { UserError } from "#core/failure.ts";
import { currentPromotion, gateOf } from "#core/promotion/current-gate.ts";
import { type Gate, toGate } from "#core/promotion/gates.ts";
import type { Api } from "#server/api/api.ts";
import type { ServerContext } from "#server/route.ts";

/**
 * Where gates are. The second is for those who cannot know a promotion's name: one promotion at a time runs to a
 * stage, so that stage and step name one gate.
 */
export const gateAddresses = [
  { path: "/v1beta1/projects/:project/gates/:promotion/:step", name: "Gate", which: "a gate" },
  {
    path: "/v1beta1/projects/:project/stages/:stage/gates/:step",
    name: "StageGate",
    which: "a gate of the promotion under way to a stage",
  },
] as const;

/** The gate that the request's path names, by its promotion or by its stage. */
export async function findGate(c: ServerContext, api: Api): Promise<Gate | undefined> {
  const { project, promotion, stage, step } = c.req.param() as Record<string, string>;
  if (project === undefined || step === undefined) return undefined;
  if (promotion !== undefined) return api.gates.get(project, promotion, step);
  const current = await currentPromotion(api.store, project, stage ?? "");
  const gate = current && (await gateOf(api.store, current, step));
  return gate && toGate(gate);
}

/** The same; 404 when there is none. */
export async function gateFrom(c: ServerContext, api: Api): Promise<Gate> {
  const gate = await findGate(c, api);
  if (gate) return gate;
  const { project, promotion, stage, step } = c.req.param() as Record<string, string>;
  const whose =
    promotion === undefined ? `The promotion under way to stage "${stage}"` : `Promotion "${promotion}"`;
  throw new UserError(`${whose} in project "${project}" has no gate "${step}"`, { status: 404 });
}
