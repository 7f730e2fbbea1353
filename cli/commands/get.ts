import type { ApiClient } from "#cli/api-client.ts";
import { resourceTable } from "#cli/columns.ts";
import { type CliIO, print } from "#cli/io.ts";
import { type CliKind, findCliKind, resourcePath } from "#cli/kinds.ts";
import { formatResources, type OutputFormat } from "#cli/output.ts";
import { connect, type RemoteOptions, requireProject } from "#cli/session.ts";
import type { Resource } from "#core/resources/resource.ts";

export interface GetOptions extends RemoteOptions {
  output: OutputFormat;
}

/** `towpath get KIND [NAME…]` */
export async function get(kindWord: string, names: readonly string[], options: GetOptions, io: CliIO) {
  const resources = await fetchResources(kindWord, names, options, io);
  if (resources.length === 0 && options.output === "table") {
    io.stderr.write(`No ${findCliKind(kindWord).names[0]} found\n`);
    return;
  }
  print(
    io,
    formatResources(resources, options.output, (all) => resourceTable(all, new Date())),
  );
}

/** The named resources of a kind, or all of them. */
export async function fetchResources(
  kindWord: string,
  names: readonly string[],
  options: RemoteOptions,
  io: CliIO,
): Promise<Resource[]> {
  const kind = findCliKind(kindWord);
  const client = connect(options, io);
  const project = kind.namespaced ? requireProject(options, io) : "";
  const only = kind.onlyName?.(project);
  const wanted = names.length === 0 && only !== undefined ? [only] : names;
  if (wanted.length === 0) return listAll(client, kind, project);
  return Promise.all(wanted.map((name) => client.request<Resource>(resourcePath(kind, project, name))));
}

async function listAll(client: ApiClient, kind: CliKind, project: string): Promise<Resource[]> {
  const answer = await client.request<ListAnswer>(kind.path(project));
  const items = answer.items ?? Object.values(answer.groups ?? {}).flatMap((group) => group.items ?? []);
  // Items of a typed list may leave their kind out.
  return items.map((item) => ({ ...item, kind: item.kind ?? kind.kind }));
}

/** Freight is listed in groups, all other kinds plainly. */
interface ListAnswer {
  items?: Resource[];
  groups?: Record<string, { items?: Resource[] }>;
}
