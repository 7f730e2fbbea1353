import { chmod, lstat, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import type { GitHost } from "#core/git/git-source.ts";

const keyFileName = "signing-key.asc";

/** Keeps the key beside the promotion's repository, for the steps that sign in it later; it goes with the workspace. */
export async function keepSigningKey(folder: string, key: string): Promise<void> {
  await writeFile(path.join(folder, keyFileName), key, { mode: 0o600, flag: "wx" });
}

/** The key that was kept beside the repository; undefined when there is none. */
export async function findSigningKey(folder: string): Promise<string | undefined> {
  const file = path.join(folder, keyFileName);
  try {
    if (!(await lstat(file)).isFile()) return undefined;
  } catch {
    return undefined;
  }
  return readFile(file, "utf8");
}

/** What git is given so that it signs with a key, and trusts its signatures. */
export interface Signer {
  env: Record<string, string>;
  config: Record<string, string>;
}

const noSigner: Signer = { env: {}, config: { "commit.gpgSign": "false", "tag.gpgSign": "false" } };

/**
 * Runs `work` with a key ring that holds this key alone, with ultimate trust. The ring and its agent live
 * as long as the work, so that a crash leaves no locks and no agent that a later step could trip over.
 */
export async function withSigner<T>(
  host: GitHost,
  key: string | undefined,
  work: (signer: Signer) => Promise<T>,
): Promise<T> {
  if (!key) return work(noSigner);
  const home = await mkdtemp(path.join(tmpdir(), "towpath-gpg-"));
  const env = { GNUPGHOME: home, HOME: home };
  try {
    await chmod(home, 0o700);
    const fingerprint = await importKey(host, home, env, key);
    return await work({
      env,
      config: { "commit.gpgSign": "true", "tag.gpgSign": "true", "user.signingKey": fingerprint },
    });
  } finally {
    await host.exec("gpgconf", ["--kill", "all"], { cwd: home, env }).catch(() => {});
    await rm(home, { recursive: true, force: true });
  }
}

async function importKey(
  host: GitHost,
  home: string,
  env: Record<string, string>,
  key: string,
): Promise<string> {
  const gpg = async (args: readonly string[], input: string) => {
    try {
      return await host.exec("gpg", ["--batch", "--no-tty", ...args], { cwd: home, env, input });
    } catch (error) {
      throw new StepFailure("errored", `Cannot import the GPG signing key: ${messageOf(error)}`, {
        cause: error,
      });
    }
  };
  await gpg(["--import"], key);
  const { stdout } = await gpg(["--with-colons", "--list-secret-keys"], "");
  const fingerprint = /^fpr:(?:[^:]*:){8}([0-9A-F]+):/m.exec(stdout)?.[1];
  if (fingerprint === undefined) {
    throw new StepFailure("errored", "Cannot import the GPG signing key: it holds no private key");
  }
  await gpg(["--import-ownertrust"], `${fingerprint}:6:\n`);
  return fingerprint;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
