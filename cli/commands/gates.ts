import { stringify } from "yaml";
import { type ApiClient, apiPath } from "#cli/api-client.ts";
import { type CliIO, print } from "#cli/io.ts";
import { connect, type RemoteOptions, requireProject } from "#cli/session.ts";
import { formatAge, formatTable } from "#cli/table.ts";
import { UserError } from "#core/failure.ts";
import { valuesFromText } from "#core/promotion/gate-input.ts";

/** A gate as the API tells of it. */
export interface Gate {
  project: string;
  stage: string;
  promotion: string;
  /** The step's alias. */
  step: string;
  message: string;
  state: "open" | "released" | "denied" | "timedOut";
  openedAt?: string;
  expiresAt?: string;
  asks?: { kind: "approval" } | { kind: "input"; schema: Record<string, unknown> };
}

/** Open gates, the oldest first; of all projects when none is given. */
export async function openGates(client: ApiClient, project?: string): Promise<Gate[]> {
  const path = project === undefined ? "/v1beta1/gates" : apiPath("projects", project, "gates");
  return (await client.request<{ items: Gate[] }>(path)).items;
}

/** `towpath gates` */
export async function listGates(options: RemoteOptions & { output: string }, io: CliIO): Promise<void> {
  const gates = await openGates(connect(options, io), options.project ?? io.env.TOWPATH_PROJECT);
  if (options.output === "json") return print(io, JSON.stringify(gates, null, 2));
  if (options.output === "yaml") return print(io, stringify(gates).trimEnd());
  if (gates.length === 0) {
    io.stderr.write("No open gates\n");
    return;
  }
  const now = new Date();
  const rows = gates.map((gate) => [
    gate.project,
    gate.promotion,
    gate.step,
    formatAge(gate.openedAt, now),
    gate.message,
  ]);
  print(io, formatTable(["PROJECT", "PROMOTION", "STEP", "AGE", "MESSAGE"], rows));
}

export type Decision = "released" | "denied";

/** `towpath release PROMOTION [STEP]` and `towpath deny PROMOTION [STEP]` */
export async function decideGate(
  decision: Decision,
  promotion: string,
  step: string | undefined,
  options: RemoteOptions & { message?: string; input?: string[] },
  io: CliIO,
): Promise<void> {
  const client = connect(options, io);
  const project = requireProject(options, io);
  const name = step ?? (await onlyGate(client, project, promotion));
  const path = apiPath("projects", project, "gates", promotion, name);
  const gate = await client.request<Gate>(path);
  if (gate.asks === undefined) await decide(client, gate, decision, options.message);
  else await respond(client, path, gate, decision, options);
  print(io, `gate ${gate.step} of promotion ${promotion} ${gate.asks ? "answered" : decision}`);
}

/** Approves, rejects or fills in, as the gate asks. */
async function respond(
  client: ApiClient,
  path: string,
  { step, asks }: Gate,
  decision: Decision,
  { message, input = [] }: { message?: string; input?: string[] },
): Promise<void> {
  if (asks?.kind === "input" && decision === "denied") {
    throw new UserError(`Gate "${step}" asks for input, which cannot be denied`, { hint: "towpath abort" });
  }
  const body =
    asks?.kind === "input"
      ? { values: valuesFromText(asks.schema, input.map(splitInput)) }
      : { action: decision === "released" ? "approve" : "reject", ...(message ? { message } : {}) };
  await client.request(`${path}/respond`, { method: "POST", body });
}

function splitInput(text: string): [name: string, value: string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new UserError(`Cannot take "${text}" for --input`, { hint: "--input name=value" });
}

/** The only open gate of the promotion. Throws a UserError when there is none, or more than one. */
export async function onlyGate(client: ApiClient, project: string, promotion: string): Promise<string> {
  const open = (await openGates(client, project)).filter((gate) => gate.promotion === promotion);
  const [gate, ...others] = open;
  if (!gate)
    throw new UserError(`Promotion "${promotion}" has no open gate`, { hint: `towpath gates -p ${project}` });
  if (others.length === 0) return gate.step;
  throw new UserError(`Promotion "${promotion}" has several open gates`, {
    hint: `name one of ${open.map((each) => each.step).join(", ")}`,
  });
}

/** Sends a decision. The first one wins: a later one is refused with how the gate stands. */
export async function decide(
  client: ApiClient,
  { project, promotion, step }: Pick<Gate, "project" | "promotion" | "step">,
  decision: Decision,
  message?: string,
): Promise<void> {
  const verb = decision === "released" ? "release" : "deny";
  await client.request(apiPath("projects", project, "gates", promotion, step, verb), {
    method: "POST",
    body: message === undefined ? {} : { message },
  });
}
