import { stringify } from "yaml";
import { apiPath } from "#cli/api-client.ts";
import { type CliIO, print } from "#cli/io.ts";
import { connect, type RemoteOptions } from "#cli/session.ts";
import { formatTable } from "#cli/table.ts";
import type { AuditEntry } from "#core/store/store.ts";

/** `towpath audit`: who decided what, when, from where and why; of all projects when none is given. */
export async function listAudit(
  { after, output, ...options }: RemoteOptions & { output: string; after?: string },
  io: CliIO,
): Promise<void> {
  const project = options.project ?? io.env.TOWPATH_PROJECT;
  const path = project === undefined ? "/v1beta1/system/audit" : apiPath("projects", project, "audit");
  const { items } = await connect(options, io).request<{ items: AuditEntry[] }>(path, { query: { after } });
  if (output === "json") return print(io, JSON.stringify(items, null, 2));
  if (output === "yaml") return print(io, stringify(items).trimEnd());
  const rows = items.map(({ id, at, actor, action, regarding, details = {}, message = "" }) => [
    String(id),
    at,
    actor ?? "-",
    action,
    `${regarding.project ?? ""}/${regarding.name}`,
    [details.via, details.address].filter((known) => known !== undefined).join(" "),
    message.split("\n")[0] ?? "",
  ]);
  print(io, formatTable(["ID", "AT", "WHO", "WHAT", "OF", "FROM", "WHY"], rows));
}
