import { randomBytes } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "#core/failure.ts";

/** Where the daemon keeps what is its own. All of it is for the daemon's user alone. */
export interface DataFolder {
  root: string;
  database: string;
  /** One folder for each promotion that is under way. */
  work: string;
  /** What outlives promotions and may be deleted at any time while the daemon is not running. */
  cache: string;
  /** Output files of containers. */
  outputs: string;
}

/** Makes the folder if need be. Throws a UserError when it cannot be used. */
export function openDataFolder(folder: string): DataFolder {
  const parts = {
    work: join(folder, "work"),
    cache: join(folder, "cache"),
    outputs: join(folder, "outputs"),
  };
  try {
    for (const path of [folder, ...Object.values(parts)]) mkdirSync(path, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
  } catch (cause) {
    throw new UserError(`Cannot use data folder "${folder}": ${(cause as Error).message}`, {
      cause,
      hint: "name another one with --data or TOWPATH_DATA, or make this one writable for the daemon's user",
    });
  }
  return { root: folder, database: join(folder, "towpath.db"), ...parts };
}

export interface Token {
  value: string;
  /** True when it was made just now: somebody has to be told. */
  isNew: boolean;
}

/** The administrator's token: TOWPATH_TOKEN, or the file `token` in the data folder, made when it is missing. */
export function loadOrCreateToken(folder: string, env: NodeJS.ProcessEnv): Token {
  if (env.TOWPATH_TOKEN) return { value: env.TOWPATH_TOKEN, isNew: false };
  const file = join(folder, "token");
  const value = randomBytes(24).toString("base64url");
  try {
    writeFileSync(file, `${value}\n`, { flag: "wx", mode: 0o600 });
    return { value, isNew: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const kept = readFileSync(file, "utf8").trim();
  if (kept.length >= 16) return { value: kept, isNew: false };
  throw new UserError(`The token in "${file}" is shorter than 16 characters`, {
    hint: "delete the file to have a new one made",
  });
}
