import { apiPath } from "#cli/api-client.ts";
import { sendManifests } from "#cli/commands/apply.ts";
import type { CliIO } from "#cli/io.ts";
import { connect, type RemoteOptions, requireProject } from "#cli/session.ts";
import { type Choice, freightOfChoices } from "#core/artifacts/freight-choice.ts";
import { UserError } from "#core/failure.ts";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";

export interface AssembleOptions extends RemoteOptions {
  use?: string[];
  alias?: string;
}

/** `towpath assemble WAREHOUSE --use web=1.2.0`: freight of discovered artifacts, the best where nothing is said. */
export async function assemble(name: string, options: AssembleOptions, io: CliIO): Promise<void> {
  const client = connect(options, io);
  const project = requireProject(options, io);
  const warehouse = await client.request<Warehouse>(apiPath("projects", project, "warehouses", name));
  const choices = (options.use ?? []).map(parseChoice);
  const { name: freightName, ...content } = freightOfChoices(warehouse, choices);
  const freight = {
    apiVersion: kargoV1alpha1,
    kind: "Freight",
    metadata: { name: freightName, namespace: project },
    ...(options.alias ? { alias: options.alias } : {}),
    ...content,
  };
  await sendManifests(client, "PUT", JSON.stringify(freight), io);
}

/** Addresses may hold `=`, versions do not. */
function parseChoice(text: string): Choice {
  const equals = text.lastIndexOf("=");
  if (equals > 0 && equals < text.length - 1) {
    return { source: text.slice(0, equals), version: text.slice(equals + 1) };
  }
  throw new UserError(`Cannot choose "${text}": it names no version`, { hint: "--use web=1.2.0" });
}
