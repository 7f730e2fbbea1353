import { type ApiClient, apiPath } from "#cli/api-client.ts";
import { type CliIO, print } from "#cli/io.ts";
import { createPromotionView, isFinal } from "#cli/promotion-view.ts";
import { connect, type RemoteOptions, requireProject } from "#cli/session.ts";
import { UserError } from "#core/failure.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { describeFreeze, type FreezeSpec } from "#core/stages/freeze.ts";

export interface PromoteOptions extends RemoteOptions {
  stage?: string;
  downstreamFrom?: string;
  freight?: string;
  freightAlias?: string;
  warehouse?: string;
  from?: string;
  wait?: boolean;
  overrideWindow?: string;
}

/** `towpath promote --stage S --freight F`: exit code 1 when a waited-for promotion does not succeed. */
export async function promote(options: PromoteOptions, io: CliIO): Promise<void> {
  const client = connect(options, io);
  const project = requireProject(options, io);
  const promotions = await create(client, project, options);
  for (const { metadata } of promotions) print(io, `promotion ${metadata.name} created`);
  await tellFreezes(client, project, promotions, io);
  if (!options.wait) return;
  const ended = await Promise.all(promotions.map((promotion) => follow(client, promotion, io)));
  const failed = ended.filter(({ status }) => status?.phase !== "Succeeded");
  if (failed.length > 0) {
    throw new UserError(`${failed.map(({ metadata }) => metadata.name).join(", ")} did not succeed`, {
      hint: `see \`towpath describe promotion ${failed[0]?.metadata.name} -p ${project}\``,
    });
  }
}

/** A promotion to a frozen stage is made all the same, and waits: whoever asked for it should know. */
async function tellFreezes(client: ApiClient, project: string, promotions: readonly Promotion[], io: CliIO) {
  const path = apiPath("projects", project, "freezes");
  const { items } = await client.request<{ items: FreezeSpec[] }>(path);
  const isFelt = ({ stage }: FreezeSpec) =>
    stage === undefined || promotions.some(({ spec }) => spec.stage === stage);
  for (const freeze of items.filter(isFelt)) print(io, `it waits: ${describeFreeze(freeze)}`);
}

async function create(client: ApiClient, project: string, options: PromoteOptions): Promise<Promotion[]> {
  const { stage, downstreamFrom, warehouse, from, overrideWindow: windowOverride } = options;
  const { freight, freightAlias } = freightOf(options);
  if (!freight && !freightAlias && !warehouse && !from) {
    throw new UserError("Nothing to promote", {
      hint: "give --freight, --freight-alias, --warehouse or --from",
    });
  }
  if (downstreamFrom) {
    const path = `${apiPath("projects", project, "stages", downstreamFrom)}/promotions/downstream`;
    const body = { freight, freightAlias, windowOverride };
    return (await client.request<{ promotions: Promotion[] }>(path, { method: "POST", body })).promotions;
  }
  if (!stage) throw new UserError("No stage to promote to", { hint: "give --stage or --downstream-from" });
  const origin = warehouse ? `Warehouse/${warehouse}` : undefined;
  const path = apiPath("projects", project, "stages", stage, "promotions");
  const body = { freight, freightAlias, origin, fromStage: from, windowOverride };
  return [await client.request<Promotion>(path, { method: "POST", body })];
}

/** Names of freight are made by rule; what is no such name must be the alias that people know it by. */
function freightOf({
  freight,
  freightAlias,
}: PromoteOptions): Pick<PromoteOptions, "freight" | "freightAlias"> {
  if (freight === undefined || /^[0-9a-f]{40}$/.test(freight)) return { freight, freightAlias };
  return { freightAlias: freightAlias ?? freight };
}

/** Shows a promotion's steps until it is over, and returns it as it ended. */
export async function follow(client: ApiClient, promotion: Promotion, io: CliIO): Promise<Promotion> {
  const view = createPromotionView(io);
  const path = apiPath("projects", promotion.metadata.namespace ?? "", "promotions", promotion.metadata.name);
  let current = promotion;
  view.update(current);
  while (!isFinal(current.status?.phase) && !io.signal.aborted) {
    for await (const event of client.events(path, { query: { watch: "true" }, signal: io.signal })) {
      current = (JSON.parse(event.data) as { object: Promotion }).object;
      view.update(current);
      if (isFinal(current.status?.phase)) return current;
    }
    // A stream may end before the promotion does, when the daemon restarts.
    current = await client.request<Promotion>(path);
    view.update(current);
  }
  return current;
}
