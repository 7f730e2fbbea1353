import { apiPath } from "#cli/api-client.ts";
import { onlyGate } from "#cli/commands/gates.ts";
import { type CliIO, print } from "#cli/io.ts";
import { connect, type RemoteOptions, requireProject } from "#cli/session.ts";
import { UserError } from "#core/failure.ts";

export interface LinkOptions extends RemoteOptions {
  release?: boolean;
  deny?: boolean;
  expires?: string;
  for?: string;
}

/** `towpath gates link PROMOTION [STEP]`: a link that decides the gate, once, for who has it. */
export async function makeGateLink(
  promotion: string,
  step: string | undefined,
  { release, deny, expires, for: madeFor, ...options }: LinkOptions,
  io: CliIO,
): Promise<void> {
  if (release && deny) throw new UserError("A link decides one thing", { hint: "--release or --deny" });
  const client = connect(options, io);
  const project = requireProject(options, io);
  const name = step ?? (await onlyGate(client, project, promotion));
  const body = {
    decision: deny ? "deny" : "release",
    ...(expires && { expiresIn: expires }),
    ...(madeFor && { for: madeFor }),
  };
  const path = apiPath("projects", project, "gates", promotion, name, "links");
  const { url, expiresAt } = await client.request<{ url: string; expiresAt: string }>(path, {
    method: "POST",
    body,
  });
  print(io, url);
  io.stderr.write(`It can ${body.decision} gate ${name} once, until ${expiresAt}, in your name.\n`);
}
