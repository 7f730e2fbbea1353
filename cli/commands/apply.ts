import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ApiClient } from "#cli/api-client.ts";
import { type CliIO, print, readStdin } from "#cli/io.ts";
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
}

/** `towpath apply -f PATH…`: creates what is missing, updates what differs. */
export async function apply(options: ManifestOptions, io: CliIO): Promise<void> {
  await sendManifests(connect(options, io), "PUT", await readManifests(options.filename, io), io);
}

/** `towpath delete -f PATH…` */
export async function deleteManifests(options: ManifestOptions, io: CliIO): Promise<void> {
  await sendManifests(connect(options, io), "DELETE", await readManifests(options.filename, io), io);
}

/** Sends YAML and says what became of each resource; what was refused is thrown after all were tried. */
export async function sendManifests(
  client: ApiClient,
  method: "PUT" | "DELETE",
  manifest: string,
  io: CliIO,
) {
  const { results = [] } = await client.request<{ results?: ResultOfOne[] }>("/v1beta1/resources", {
    method,
    manifest,
    query: method === "PUT" ? { upsert: "true" } : {},
  });
  for (const result of results) print(io, describeResult(result));
  const refused = results.flatMap(({ error }) => error ?? []);
  if (refused.length > 0) throw new UserError(refused.join("\n"));
}

function describeResult(result: ResultOfOne): string {
  const [verb, resource] = result.createdResourceManifest
    ? ["created", result.createdResourceManifest]
    : result.updatedResourceManifest
      ? ["updated", result.updatedResourceManifest]
      : ["deleted", result.deletedResourceManifest];
  if (!resource) return "refused";
  const { namespace, name } = resource.metadata;
  return `${resource.kind.toLowerCase()} ${namespace ? `${namespace}/` : ""}${name} ${verb}`;
}

async function readManifests(paths: readonly string[], io: CliIO): Promise<string> {
  const texts: string[] = [];
  for (const path of paths) {
    if (path === "-") texts.push(await readStdin(io));
    else texts.push(...filesOf(path).map((file) => readFileSync(file, "utf8")));
  }
  return texts.join("\n---\n");
}

function filesOf(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new UserError(`Cannot read "${path}": there is no such file or folder`);
  if (!stat.isDirectory()) return [path];
  const files = globSync("**/*.{yaml,yml,json}", { cwd: path }).sort();
  if (files.length === 0)
    throw new UserError(`Cannot apply "${path}": it holds no .yaml, .yml or .json file`);
  return files.map((file) => join(path, file));
}
