import { stringify } from "yaml";
import { apiPath } from "#cli/api-client.ts";
import { fetchResources } from "#cli/commands/get.ts";
import { type CliIO, print } from "#cli/io.ts";
import { createPromotionView } from "#cli/promotion-view.ts";
import { connect, type RemoteOptions } from "#cli/session.ts";
import { formatTable } from "#cli/table.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";

interface EventItem {
  type?: string;
  reason?: string;
  message?: string;
  lastTimestamp?: string;
  involvedObject?: { kind?: string; name?: string };
}

/** `towpath describe KIND NAME`: the resource as YAML, then what happened to it. */
export async function describe(kind: string, name: string, options: RemoteOptions, io: CliIO): Promise<void> {
  const [resource] = await fetchResources(kind, [name], options, io);
  if (!resource) return;
  const { status, ...wanted } = resource;
  print(io, stringify(wanted, { aliasDuplicateObjects: false }).trimEnd());
  if (resource.kind === "Promotion") describeSteps(resource as Promotion, io);
  else if (status) print(io, stringify({ status }, { aliasDuplicateObjects: false }).trimEnd());
  await describeEvents(resource, options, io);
}

function describeSteps(promotion: Promotion, io: CliIO): void {
  print(io, "steps:");
  createPromotionView(io).update(promotion);
  const state = promotion.status?.state ?? {};
  if (Object.keys(state).length > 0) print(io, stringify({ outputs: state }).trimEnd());
}

async function describeEvents(resource: Resource, options: RemoteOptions, io: CliIO): Promise<void> {
  const project = resource.metadata.namespace;
  if (!project) return;
  const { items = [] } = await connect(options, io).request<{ items?: EventItem[] }>(
    apiPath("projects", project, "events"),
  );
  const about = items.filter(({ involvedObject }) => isAbout(resource, involvedObject));
  if (about.length === 0) return;
  const rows = about.map(({ lastTimestamp = "", type = "", reason = "", message = "" }) => [
    lastTimestamp,
    type,
    reason,
    message,
  ]);
  print(io, `events:\n${formatTable(["TIME", "TYPE", "REASON", "MESSAGE"], rows)}`);
}

/** Whether an event tells of the resource, or of a gate of it: those are called PROMOTION.STEP. */
function isAbout(
  { kind, metadata }: Resource,
  { kind: ofKind, name = "" }: EventItem["involvedObject"] = {},
) {
  if (kind === "Promotion" && ofKind === "Gate") return name.startsWith(`${metadata.name}.`);
  return ofKind === kind && name === metadata.name;
}
