import type { ApiClient } from "#cli/api-client.ts";
import { type CliIO, print } from "#cli/io.ts";
import { readManifests } from "#cli/manifests.ts";
import { connect, type RemoteOptions } from "#cli/session.ts";
import { UserError } from "#core/failure.ts";
import type { Resource } from "#core/resources/resource.ts";

export interface ManifestOptions extends RemoteOptions {
  filename: string[];
}

interface ResultOfOne {
  createdResourceManifest?: Resource;
  updatedResourceManifest?: Resource;
  deletedResourceManifest?: Resource;
  error?: string;
  /** Of the text that was sent. */
  line?: number;
}

/** `towpath apply -f PATH…`: creates what is missing, updates what differs. */
export async function apply(options: ManifestOptions, io: CliIO): Promise<void> {
  await sendFiles("PUT", options, io);
}

/** `towpath delete -f PATH…` */
export async function deleteManifests(options: ManifestOptions, io: CliIO): Promise<void> {
  await sendFiles("DELETE", options, io);
}

async function sendFiles(method: "PUT" | "DELETE", options: ManifestOptions, io: CliIO): Promise<void> {
  const client = connect(options, io);
  const { text, placeOf, firstLine } = await readManifests(options.filename, io);
  await sendManifests(client, method, text, io, (line = firstLine) => `${placeOf(line)}: `);
}

/**
 * Sends YAML and says what became of each resource; what was refused is thrown after all were tried.
 * `placeOf` tells where a line of it stands; without a line, where a manifest that is alone begins.
 */
export async function sendManifests(
  client: ApiClient,
  method: "PUT" | "DELETE",
  manifest: string,
  io: CliIO,
  placeOf: (line?: number) => string = () => "",
): Promise<void> {
  const results = await send(client, method, manifest, placeOf);
  for (const result of results) if (!result.error) print(io, describeResult(result));
  const refused = results.flatMap(({ error, line }) => (error ? `${placeOf(line)}${error}` : []));
  if (refused.length > 0) throw new UserError(refused.join("\n"));
}

async function send(
  client: ApiClient,
  method: "PUT" | "DELETE",
  manifest: string,
  placeOf: (line?: number) => string,
): Promise<ResultOfOne[]> {
  const query = method === "PUT" ? { upsert: "true" } : {};
  try {
    const answer = await client.request<{ results?: ResultOfOne[] }>("/v1beta1/resources", {
      method,
      manifest,
      query,
    });
    return answer.results ?? [];
  } catch (error) {
    // The daemon's word about a manifest that is alone; anything else is not about a place in it.
    if (!(error instanceof UserError) || ![400, 404, 409, 422].includes(error.status)) throw error;
    throw new UserError(`${placeOf()}${error.message}`, {
      status: error.status,
      hint: error.hint,
      cause: error,
    });
  }
}

function describeResult(result: ResultOfOne): string {
  const [verb, resource] = result.createdResourceManifest
    ? ["created", result.createdResourceManifest]
    : result.updatedResourceManifest
      ? ["updated", result.updatedResourceManifest]
      : ["deleted", result.deletedResourceManifest];
  if (!resource) return "done";
  const { namespace, name } = resource.metadata;
  return `${resource.kind.toLowerCase()} ${namespace ? `${namespace}/` : ""}${name} ${verb}`;
}
