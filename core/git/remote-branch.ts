import { StepFailure } from "#core/failure.ts";
import { type Git, said } from "#core/git/git.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { branchName } from "#core/git/ref-names.ts";
import type { Repository } from "#core/git/repository.ts";
import { type Signer, withSigner } from "#core/git/signing.ts";

/** Whether the repository knows the branch. */
export async function hasBranch(git: Git, { gitDir }: Repository, name: string): Promise<boolean> {
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
function withUser({ env, config }: Signer, user: { name: string; email: string }): Signer {
  return { env, config: { ...config, "user.name": user.name, "user.email": user.email } };
}
