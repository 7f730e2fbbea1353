import { lstat, mkdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { type Git, type GitSource, said } from "#core/git/git.ts";
import { isInside } from "#core/git/git-url.ts";
import { copyMirror, withMirror } from "#core/git/mirror.ts";
import { branchName, revision, tagName } from "#core/git/ref-names.ts";
import { configText } from "#core/git/repository-config.ts";
import { keepSigningKey, type Signer, withSigner } from "#core/git/signing.ts";

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
  await mkdir(folder, { recursive: true });
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

/** What a work tree shows. Nothing means the remote's default branch. */
export interface CheckoutTarget {
  branch?: string;
  commit?: string;
  tag?: string;
}

/** Adds a work tree at an absolute path that does not exist or is empty. Returns the commit that it shows. */
export async function addWorkTree(
  git: Git,
  repository: Repository,
  workTree: string,
  target: CheckoutTarget,
  sparse: readonly string[],
): Promise<string> {
  const { gitDir, source } = repository;
  const task = `check out ${describeTarget(target)} of "${source.remote.url}" to "${path.basename(workTree)}"`;
  const what = await targetOf(git, repository, target);
  const detached = what.branch === undefined ? ["--detach"] : [];
  // The files come with the checkout below: a sparse one must be known before, or it would write everything.
  const add = ["worktree", "add", "--quiet", "--no-checkout", ...detached, "--end-of-options", workTree];
  await git.run([...add, what.branch ?? what.commit], { cwd: gitDir, task });

  const tree = await realpath(workTree);
  if (sparse.length > 0) {
    await git.run(["sparse-checkout", "set", "--cone", "--end-of-options", ...sparse], { cwd: tree, task });
  }
  await git.run(["reset", "--hard", "--quiet"], { cwd: tree, task, source });
  const { stdout } = await git.run(["rev-parse", "--verify", "HEAD"], { cwd: tree, task });
  return stdout.trim();
}

function describeTarget({ branch, commit, tag }: CheckoutTarget): string {
  if (branch) return `branch "${branch}"`;
  if (commit) return `commit "${commit}"`;
  return tag ? `tag "${tag}"` : "the default branch";
}

async function targetOf(
  git: Git,
  repository: Repository,
  { branch, commit, tag }: CheckoutTarget,
): Promise<{ branch?: string; commit: string }> {
  if (branch) return { branch: branchName(branch), commit: "" };
  if (tag) return { commit: `refs/tags/${tagName(tag)}` };
  if (commit) {
    // As with git itself, what names a branch checks out the branch.
    const isBranch = await hasBranch(git, repository, revision(commit));
    return isBranch ? { branch: commit, commit } : { commit };
  }
  return { branch: await defaultBranch(git, repository.source, repository.gitDir), commit: "" };
}

async function hasBranch(git: Git, { gitDir }: Repository, name: string): Promise<boolean> {
  const { exitCode } = await git.run(["show-ref", "--verify", "--quiet", `refs/heads/${name}`], {
    cwd: gitDir,
    task: `look for branch "${name}"`,
    exitCodes: [0, 1, 128],
  });
  return exitCode === 0;
}

/** The branch that the remote's HEAD names. */
export async function defaultBranch(git: Git, source: GitSource, cwd: string): Promise<string> {
  const { stdout } = await git.run(["ls-remote", "--symref", source.remote.url, "HEAD"], {
    cwd,
    source,
    task: `find the default branch of "${source.remote.url}"`,
  });
  const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(stdout)?.[1];
  if (branch !== undefined) return branch;
  throw new StepFailure("errored", `Cannot find the default branch of "${source.remote.url}": it names none`);
}

/**
 * Makes sure that the remote has the branch, and that the repository knows it. A new branch is an empty
 * commit without parents; when somebody else was quicker, theirs is taken.
 */
export async function ensureRemoteBranch(
  git: Git,
  repository: Repository,
  name: string,
  create: boolean,
): Promise<void> {
  const branch = branchName(name);
  const { remote } = repository.source;
  // What the clone brought a moment ago needs no further question to the server.
  if (await hasBranch(git, repository, branch)) return;
  if (await fetchBranch(git, repository, branch)) return;
  if (!create) {
    throw new StepFailure(
      "errored",
      `Cannot check out branch "${branch}" of "${remote.url}": the remote has no such branch; set "create: true" to have it made`,
    );
  }
  const commit = await emptyCommit(git, repository);
  const pushed = await git.run(["push", "--quiet", "--", remote.url, `${commit}:refs/heads/${branch}`], {
    cwd: repository.gitDir,
    source: repository.source,
    task: `create branch "${branch}" in "${remote.url}"`,
    exitCodes: [0, 1],
  });
  if (await fetchBranch(git, repository, branch)) return;
  throw new StepFailure(
    "errored",
    `Cannot create branch "${branch}" in "${remote.url}": ${said(pushed).trim()}`,
  );
}

/** Brings the branch up to date; false when the remote has none of that name. */
async function fetchBranch(git: Git, { gitDir, source }: Repository, branch: string): Promise<boolean> {
  const ref = `refs/heads/${branch}`;
  const { stdout } = await git.run(["ls-remote", "--heads", "--", source.remote.url, ref], {
    cwd: gitDir,
    source,
    task: `look for branch "${branch}" in "${source.remote.url}"`,
  });
  if (!stdout.split("\n").some((line) => line.endsWith(`\t${ref}`))) return false;
  await git.run(["fetch", "--quiet", "--no-tags", source.remote.url, `+${ref}:${ref}`], {
    cwd: gitDir,
    source,
    task: `fetch branch "${branch}" of "${source.remote.url}"`,
  });
  return true;
}

async function emptyCommit(git: Git, { gitDir, user }: Repository): Promise<string> {
  const task = "make an initial commit";
  const tree = await git.run(["hash-object", "-t", "tree", "-w", "--stdin"], {
    cwd: gitDir,
    task,
    input: "",
  });
  return withSigner(git.host, user.signingKey, async (signer) => {
    const sign = user.signingKey ? ["--gpg-sign"] : [];
    const { stdout } = await git.run(["commit-tree", ...sign, tree.stdout.trim()], {
      cwd: gitDir,
      task,
      input: "Initial commit\n",
      ...withUser(signer, user),
    });
    return stdout.trim();
  });
}

/** Author and committer for one call. */
export function withUser({ env, config }: Signer, user: { name: string; email: string }): Signer {
  return { env, config: { ...config, "user.name": user.name, "user.email": user.email } };
}
