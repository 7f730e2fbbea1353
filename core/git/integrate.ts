import { lstat } from "node:fs/promises";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { said } from "#core/git/git.ts";
import { localFailure } from "#core/git/git-failure.ts";
import type { PushIntegrationPolicy } from "#core/git/git-settings.ts";
import type { GitSource } from "#core/git/git-source.ts";
import type { Signer } from "#core/git/signing.ts";
import { asOwner, runIn, type WorkTree } from "#core/git/work-tree.ts";

/**
 * Brings what the remote's branch, just fetched, has beyond HEAD into the work tree, by the policy.
 *
 * @throws StepFailure "failed" when changes conflict, or when the policy forbids what would be needed.
 */
export async function integrate(
  tree: WorkTree,
  source: GitSource,
  branch: string,
  policy: PushIntegrationPolicy,
): Promise<void> {
  await asOwner(tree, async (signer) => {
    if (await mayRebase(tree, branch, policy, signer)) return rebase(tree, branch, signer);
    if (policy === "RebaseOrFail") {
      throw new StepFailure(
        "failed",
        `Cannot push to branch "${branch}" of "${source.remote.url}": it has new commits, rebasing would change signatures, and the push integration policy is RebaseOrFail`,
      );
    }
    return merge(tree, branch, signer);
  });
}

async function mayRebase(
  tree: WorkTree,
  branch: string,
  policy: PushIntegrationPolicy,
  signer: Signer,
): Promise<boolean> {
  switch (policy) {
    case "AlwaysRebase":
      return true;
    case "AlwaysMerge":
      return false;
    case "RebaseOrMerge":
    case "RebaseOrFail":
      return rebaseKeepsTrust(tree, branch, signer);
    default:
      return policy satisfies never;
  }
}

/**
 * Rebasing makes new commits. It is honest when all are signed with our own key and will be again, or when
 * none are signed and none will be.
 */
async function rebaseKeepsTrust(tree: WorkTree, branch: string, signer: Signer): Promise<boolean> {
  const { stdout } = await runIn(tree, ["log", "--format=%G?", `refs/remotes/origin/${branch}..HEAD`, "--"], {
    task: `check the signatures at "${tree.shown}"`,
    ...signer,
  });
  const expected = tree.config.get("commit.gpgsign") === "true" ? "G" : "N";
  return stdout
    .split("\n")
    .filter(Boolean)
    .every((signature) => signature === expected);
}

async function rebase(tree: WorkTree, branch: string, signer: Signer): Promise<void> {
  const result = await runIn(tree, ["rebase", "--quiet", `refs/remotes/origin/${branch}`], {
    task: `rebase "${tree.shown}" on the remote's branch "${branch}"`,
    exitCodes: [0, 1, 128],
    ...signer,
  });
  if (result.exitCode === 0) return;
  if (await abandonIntegration(tree)) throw conflict(branch, result.stdout);
  throw localFailure(`Cannot rebase "${tree.shown}" on the remote's branch "${branch}"`, said(result));
}

async function merge(tree: WorkTree, branch: string, signer: Signer): Promise<void> {
  const result = await runIn(tree, ["merge", "--quiet", "--no-edit", "FETCH_HEAD"], {
    task: `merge the remote's branch "${branch}" at "${tree.shown}"`,
    exitCodes: [0, 1, 2, 128],
    ...signer,
  });
  if (result.exitCode === 0) return;
  if (await abandonIntegration(tree)) throw conflict(branch, result.stdout);
  throw localFailure(`Cannot merge the remote's branch "${branch}" at "${tree.shown}"`, said(result));
}

/** Takes back a rebase or merge that stopped half-way, in a conflict or a crash; false when there is none. */
export async function abandonIntegration(tree: WorkTree): Promise<boolean> {
  const task = `take back a rebase or merge at "${tree.shown}"`;
  for (const state of ["rebase-merge", "rebase-apply"]) {
    if (!(await exists(path.join(tree.gitDir, state)))) continue;
    await runIn(tree, ["rebase", "--abort"], { task });
    return true;
  }
  if (!(await exists(path.join(tree.gitDir, "MERGE_HEAD")))) return false;
  await runIn(tree, ["merge", "--abort"], { task });
  return true;
}

function conflict(branch: string, stdout: string): StepFailure {
  const files = [...stdout.matchAll(/^CONFLICT .*$/gm)].map(([line]) => line);
  const which = files.length === 0 ? "" : `: ${files.join("; ")}`;
  return new StepFailure(
    "failed",
    `merge conflict: the new commits of the remote's branch "${branch}" and the local ones change the same lines${which}`,
  );
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch {
    return false;
  }
}
