import { randomBytes } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { keyLength } from "#core/credentials/cipher.ts";
import { UserError } from "#core/failure.ts";

const ownerOnly = 0o600;
const anybodyElse = 0o077;

/**
 * The key that secrets are sealed with: from TOWPATH_KEY (base64), else from the file that TOWPATH_KEY_FILE
 * names, else from `secrets.key` in the data folder, which is created when it is missing. A file that
 * others than its owner may read is refused.
 */
export function loadOrCreateKey({
  folder,
  env = process.env,
}: {
  folder: string;
  env?: Record<string, string | undefined>;
}): Uint8Array {
  if (env.TOWPATH_KEY) return parseKey(Buffer.from(env.TOWPATH_KEY), "TOWPATH_KEY");
  if (env.TOWPATH_KEY_FILE) return readKey(env.TOWPATH_KEY_FILE);
  const file = join(folder, "secrets.key");
  createKey(file);
  return readKey(file);
}

/** Leaves a file that is there already as it is. */
function createKey(file: string): void {
  let descriptor: number;
  try {
    descriptor = openSync(file, "wx", ownerOnly);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw new UserError(`Cannot create the key file "${file}": ${(error as Error).message}`, {
      cause: error,
    });
  }
  writeSync(descriptor, `${randomBytes(keyLength).toString("base64")}\n`);
  // A key that a power cut takes away takes every secret with it.
  fsyncSync(descriptor);
  closeSync(descriptor);
  chmodSync(file, ownerOnly);
}

function readKey(file: string): Uint8Array {
  try {
    const { mode } = statSync(file);
    if (process.platform !== "win32" && (mode & anybodyElse) !== 0) {
      throw new UserError(`Cannot use the key file "${file}": others than its owner may read it`, {
        hint: `chmod 600 ${file}`,
      });
    }
    return parseKey(readFileSync(file), `"${file}"`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot read the key file "${file}": ${(error as Error).message}`, { cause: error });
  }
}

/** Takes the key as base64 text or as it is. */
function parseKey(content: Buffer, where: string): Uint8Array {
  if (content.length === keyLength) return content;
  const text = content.toString("latin1").trim();
  const key = Buffer.from(text, "base64");
  if (key.length !== keyLength || !/^[A-Za-z0-9+/_-]+={0,2}$/.test(text)) {
    throw new UserError(`Cannot use the key in ${where}: it must be ${keyLength} bytes in base64`, {
      hint: `head -c ${keyLength} /dev/urandom | base64`,
    });
  }
  return key;
}
