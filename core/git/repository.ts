import { lstat, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Git } from "#core/git/git.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { isInside } from "#core/git/git-url.ts";
import { copyMirror, withMirror } from "#core/git/mirror.ts";
import { configText } from "#core/git/repository-config.ts";
import { keepSigningKey } from "#core/git/signing.ts";

/** Who commits, and what they sign with. */
export interface GitUser {
  name: string;
  email: string;
  /** Armoured GPG private key. */
  signingKey?: string;
}

/** A promotion's own bare repository; its work trees share it. */
export interface Repository {
  /** The folder that holds the repository, under its work trees' `gitdir`. */
  folder: string;
  gitDir: string;
  source: GitSource;
  user: GitUser;
}

export interface CloneOptions {
  /** Where the repository is made; what an interrupted clone left there is removed, its work trees as well. */
  folder: string;
  blobless: boolean;
  user: GitUser;
  /** Work trees of this clone; those that an interrupted clone left are removed. */
  workTrees: readonly string[];
}

/** Clones out of the cache, after fetching what is new. */
export async function cloneRepository(
  git: Git,
  source: GitSource,
  options: CloneOptions,
): Promise<Repository> {
  await removeRemains(options);
  const gitDir = path.join(options.folder, "repo");
  await withMirror(git, source, { blobless: options.blobless }, async (mirror) => {
    // Only now: a repository that cannot be reached leaves nothing behind.
    await mkdir(options.folder, { recursive: true });
    await copyMirror(mirror, gitDir);
    const partial = await isPartial(mirror);
    await writeFile(path.join(gitDir, "config"), configFor(source, options, partial));
  });
  if (options.user.signingKey) await keepSigningKey(options.folder, options.user.signingKey);
  return { folder: options.folder, gitDir, source, user: options.user };
}

/** A git that outlived a killed daemon may still be writing for a moment. */
const removal = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 };

async function removeRemains({ folder, workTrees }: CloneOptions): Promise<void> {
  for (const workTree of workTrees) {
    if (await belongsTo(workTree, folder)) await rm(workTree, removal);
  }
  await rm(folder, removal);
}

async function belongsTo(workTree: string, folder: string): Promise<boolean> {
  const pointer = path.join(workTree, ".git");
  try {
    if (!(await lstat(pointer)).isFile()) return false;
    const gitDir = (await readFile(pointer, "utf8")).replace(/^gitdir: /, "").trim();
    return isInside(folder, path.resolve(workTree, gitDir));
  } catch {
    return false;
  }
}

/** The mirror's configuration is our own, so that its text can be looked at. */
async function isPartial(mirror: string): Promise<boolean> {
  return /^\s*promisor = true$/m.test(await readFile(path.join(mirror, "config"), "utf8"));
}

function configFor(source: GitSource, { user }: CloneOptions, partial: boolean): string {
  const entries: [string, string][] = [
    ["core.repositoryformatversion", partial ? "1" : "0"],
    ["core.filemode", "true"],
    ["core.bare", "true"],
    ["remote.origin.url", source.remote.url],
    ["user.name", user.name],
    ["user.email", user.email],
    ["commit.gpgSign", String(Boolean(user.signingKey))],
    ["tag.gpgSign", String(Boolean(user.signingKey))],
  ];
  if (source.insecureSkipTLSVerify) entries.push(["http.sslVerify", "false"]);
  if (partial) {
    entries.push(["extensions.partialClone", "origin"]);
    entries.push(["remote.origin.promisor", "true"], ["remote.origin.partialclonefilter", "blob:none"]);
  }
  return configText(entries);
}
