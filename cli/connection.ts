import { readFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "#core/failure.ts";
import { dataFolder, defaultPort } from "#core/settings.ts";

/** Where the daemon is and what opens it. */
export interface Connection {
  /** Without a slash at the end. */
  server: string;
  token: string;
}

export interface ConnectionOptions {
  server?: string;
  token?: string;
}

/**
 * Flags come first, then TOWPATH_SERVER and TOWPATH_TOKEN, then Kargo's own variables. Without a token
 * the one that the daemon of this machine keeps in its data folder is used.
 */
export function resolveConnection(options: ConnectionOptions, env: NodeJS.ProcessEnv): Connection {
  const server =
    options.server ?? env.TOWPATH_SERVER ?? env.KARGO_API_ADDRESS ?? `http://127.0.0.1:${defaultPort}`;
  if (!/^https?:\/\//.test(server)) {
    throw new UserError(
      `Cannot use "${server}" as the daemon's address: it must start with http:// or https://`,
    );
  }
  const token = options.token ?? env.TOWPATH_TOKEN ?? env.KARGO_API_TOKEN ?? readLocalToken(env);
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UserError("Cannot use the token: it is empty, or has characters that no token has", {
      hint: "copy it from the daemon's first output or its file `token`, without blanks",
    });
  }
  return { server: server.replace(/\/+$/, ""), token };
}

function readLocalToken(env: NodeJS.ProcessEnv): string {
  const file = join(dataFolder(env), "token");
  try {
    return readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new UserError(`No token: none was given, and "${file}" cannot be read`, {
      cause,
      hint: "give --token or set TOWPATH_TOKEN; the daemon prints its token on its first start",
    });
  }
}
