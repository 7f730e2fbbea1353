import { realpath } from "node:fs/promises";
import path from "node:path";
import type { Git } from "#core/git/git.ts";
import { branchName, revision, tagName } from "#core/git/ref-names.ts";
import { defaultBranch, hasBranch } from "#core/git/remote-branch.ts";
import type { Repository } from "#core/git/repository.ts";

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
