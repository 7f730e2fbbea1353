import type { ApiClient } from "#cli/api-client.ts";
import { createApiClient } from "#cli/api-client.ts";
import { type ConnectionOptions, resolveConnection } from "#cli/connection.ts";
import type { CliIO } from "#cli/io.ts";
import { UserError } from "#core/failure.ts";

/** Flags that every command which talks to a daemon takes. */
export interface RemoteOptions extends ConnectionOptions {
  project?: string;
}

export function connect(options: RemoteOptions, io: CliIO): ApiClient {
  return createApiClient(resolveConnection(options, io.env));
}

/** The project that `-p` or TOWPATH_PROJECT names. */
export function requireProject(options: RemoteOptions, io: CliIO): string {
  const project = options.project ?? io.env.TOWPATH_PROJECT;
  if (project) return project;
  throw new UserError("No project: which one is meant?", { hint: "give -p NAME or set TOWPATH_PROJECT" });
}
