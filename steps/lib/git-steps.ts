import { z } from "zod";
import { createGit, type Git } from "#core/git/git.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { parseRemote, refuseOwnFolders } from "#core/git/git-url.ts";
import { findRepositoryUser } from "#core/git/git-user.ts";
import { openWorkTree, refuseHarmfulRemote } from "#core/git/open-work-tree.ts";
import type { GitUser } from "#core/git/repository.ts";
import type { WorkTree } from "#core/git/work-tree.ts";
import type { StepContext } from "#core/step.ts";

export const pathField = z.string().min(1).describe("Path to a Git work tree, relative to the workspace.");

export const authorField = z.strictObject({
  name: z.string().min(1).describe("Name of the author and committer."),
  // As Go's mail parser takes it: hosts without a dot are fine.
  email: z.email({ pattern: /^[^\s@<>]+@[^\s@<>]+$/ }).describe("Their e-mail address."),
  signingKey: z
    .string()
    .optional()
    .describe("Armoured GPG private key to sign with. Name and e-mail address must be those of the key."),
});

export const commitOutput = z.object({
  commit: z.string().describe("ID of the commit that the work tree's HEAD names after the step."),
});

export function gitOf(ctx: StepContext): Git {
  return createGit(ctx);
}

/** The work tree at `shown`, with the credentials of the repository that it was cloned from. */
export function workTreeOf(ctx: StepContext, shown: string): Promise<WorkTree> {
  const git = gitOf(ctx);
  return openWorkTree(git, ctx.workspace, shown, (address, insecure) =>
    sourceOf(ctx, git, address, insecure),
  );
}

/** The repository behind an address, once it is found fit to be used from a step. */
export async function sourceOf(
  ctx: StepContext,
  git: Git,
  repoURL: string,
  insecureSkipTLSVerify: boolean,
): Promise<GitSource> {
  const remote = parseRemote(repoURL, git.settings);
  await refuseOwnFolders(remote, [await ctx.cacheFolder("git")]);
  await refuseHarmfulRemote(git, remote, ctx.workspace.root);
  return { remote, credentials: await ctx.credentials.find("git", repoURL), insecureSkipTLSVerify };
}

/** Who commits: the step's author, or else whom the operator named. */
export async function userOf(ctx: StepContext, git: Git, author: GitUser | undefined): Promise<GitUser> {
  return author ?? findRepositoryUser(git.settings, await ctx.gitUser?.());
}

/** Where a push goes. */
export const pushTargetFields = {
  targetBranch: z.string().optional().describe("Branch to push to; the one that is checked out by default."),
  generateTargetBranch: z
    .boolean()
    .default(false)
    .describe("Whether to push to a branch of the promotion's own, `kargo/promotion/<promotion>`."),
};

/** How hard a push is tried. */
export const pushAttemptFields = {
  force: z.boolean().default(false).describe("Whether the branch is overwritten, whatever it holds."),
  maxAttempts: z
    .int()
    .min(1)
    .max(2_147_483_647)
    .default(10)
    .describe("How often to try while others push to the same branch."),
};
