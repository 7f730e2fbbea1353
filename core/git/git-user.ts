import { readFile } from "node:fs/promises";
import { StepFailure } from "#core/failure.ts";
import type { GitSettings } from "#core/git/git-settings.ts";
import type { GitUser } from "#core/git/repository.ts";

/**
 * Who commits when no step says so: what the ClusterConfig names, and the settings for what it leaves out.
 *
 * @throws StepFailure when the signing key's file cannot be read: unsigned commits would be a surprise.
 */
export async function findRepositoryUser(
  settings: GitSettings,
  configured: Partial<GitUser> | undefined,
): Promise<GitUser> {
  const user: GitUser = {
    name: configured?.name || settings.userName,
    email: configured?.email || settings.userEmail,
  };
  const signingKey = configured?.signingKey || (await readKey(settings.signingKeyPath));
  return signingKey === undefined ? user : { ...user, signingKey };
}

async function readKey(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new StepFailure("errored", `Cannot read the GPG signing key "${file}"`, { cause: error });
  }
}
