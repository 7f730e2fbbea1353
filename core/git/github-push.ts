import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import type { GitSettings } from "#core/git/git-settings.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { integrate } from "#core/git/integrate.ts";
import { ApiRefusal, read } from "#core/git/providers/api-client.ts";
import type { GithubApi } from "#core/git/providers/github-api.ts";
import { type PushOptions, pushArguments } from "#core/git/push.ts";
import { fetchTracking, findArrived, note, remoteOf, repeatedly } from "#core/git/push-attempts.ts";
import { branchName } from "#core/git/ref-names.ts";
import { commitsBetween, type LocalCommit } from "#core/git/replayed-commits.ts";
import { currentBranch, head, runIn, type WorkTree } from "#core/git/work-tree.ts";

export interface GithubPushOptions extends PushOptions {
  /** Where the commits are put for GitHub to see, out of people's sight: `refs/…`. */
  stagingRef: string;
}

const Made = z.object({ sha: z.string() });

/**
 * Pushes HEAD to a branch at GitHub by having GitHub make each commit anew, and returns the last of them.
 * GitHub signs those of which it is not told an author. The work tree's branch is put on what was made.
 *
 * The last commit is noted before the branch is moved: called again with the same key, a commit that
 * arrived is found on the branch and nothing is made twice.
 */
export async function pushByGithub(
  tree: WorkTree,
  api: GithubApi,
  options: GithubPushOptions,
): Promise<string> {
  const source = remoteOf(tree);
  const branch = branchName(options.branch);
  try {
    const commit = await repeatedly(tree, source, branch, options, () =>
      pushOnce(tree, source, api, branch, options),
    );
    await runIn(tree, ["reset", "--hard", "--quiet", commit], {
      task: `update "${tree.shown}" to what was pushed`,
      source,
    });
    return commit;
  } finally {
    // A staging ref that stays is harmless, and the next push of this promotion replaces it.
    await api(`/git/${options.stagingRef}`, { method: "DELETE" }).catch(() => {});
  }
}

async function pushOnce(
  tree: WorkTree,
  source: GitSource,
  api: GithubApi,
  branch: string,
  { force, policy, key, stagingRef }: GithubPushOptions,
): Promise<string | undefined> {
  const tip = await fetchTracking(tree, source, branch);
  const arrived = await findArrived(tree, key, tip);
  if (arrived !== undefined) return arrived;
  if (!force && tip !== undefined) await integrate(tree, source, branch, policy);
  const local = await head(tree);
  if (local === tip) return local;

  const task = `push to "${stagingRef}" of "${source.remote.url}"`;
  const push = [
    "push",
    "--quiet",
    "--force",
    ...pushArguments(source),
    "--",
    source.remote.url,
    `HEAD:${stagingRef}`,
  ];
  await runIn(tree, push, { task, source });
  const base = tip ?? (await fetchTracking(tree, source, await currentBranch(tree)));
  if (base === undefined) {
    throw new StepFailure(
      "errored",
      `Cannot push to branch "${branch}" of "${source.remote.url}": neither it nor the branch that is checked out is there yet`,
    );
  }
  const { commits, start } = await commitsBetween(tree, base, local);
  const made = await makeAnew(commits, start, api, tree.git.settings);
  await fetchMade(tree, source, api, made, stagingRef);
  await note(tree, key, made, tip);
  return (await moveBranch(api, branch, made, tip !== undefined, force)) ? made : undefined;
}

/** Makes the commits, parents first, and returns the last; without any it is the one to start from. */
async function makeAnew(
  commits: readonly LocalCommit[],
  start: string,
  api: GithubApi,
  settings: GitSettings,
): Promise<string> {
  const most = settings.githubPushMaxRevisions;
  if (commits.length > most) {
    throw new StepFailure(
      "refused",
      `Cannot push ${commits.length} commits by GitHub's API: the most is ${most} (GITHUB_PUSH_MAX_REVISIONS)`,
    );
  }
  const madeOf = new Map<string, string>();
  let last = start;
  for (const commit of commits) {
    const body = {
      ...wordsOf(commit, settings),
      tree: commit.tree,
      parents: commit.parents.map((parent) => madeOf.get(parent) ?? parent),
    };
    const answer = await api("/git/commits", { method: "POST", body });
    last = read(`make commit ${commit.id} anew`, Made, answer).sha;
    madeOf.set(commit.id, last);
  }
  return last;
}

/** Names the author only where GitHub is not to vouch for the commit as its own. */
function wordsOf(commit: LocalCommit, { githubPushVerifyUntrusted }: GitSettings): Record<string, unknown> {
  const { message, author, committer, signer } = commit;
  if (signer === undefined && !githubPushVerifyUntrusted) return { message, author, committer };
  if (signer?.name === author.name && signer.email === author.email) return { message };
  return { message: `${message}\n\nCo-authored-by: ${author.name} <${author.email}>` };
}

/** Makes the commits that GitHub made known here, by the staging ref, so that they can be noted. */
async function fetchMade(
  tree: WorkTree,
  source: GitSource,
  api: GithubApi,
  made: string,
  stagingRef: string,
): Promise<void> {
  const body = { sha: made, force: true };
  const task = `move "${stagingRef}" to ${made}`;
  read(task, z.unknown(), await api(`/git/${stagingRef}`, { method: "PATCH", body }));
  await runIn(tree, ["fetch", "--quiet", "--no-tags", "--", source.remote.url, stagingRef], { task, source });
}

/** False when the branch has moved on. */
async function moveBranch(
  api: GithubApi,
  branch: string,
  commit: string,
  exists: boolean,
  force: boolean,
): Promise<boolean> {
  const ref = `heads/${branch}`;
  const task = `move branch "${branch}" to ${commit}`;
  if (!exists) {
    read(
      task,
      z.unknown(),
      await api("/git/refs", { method: "POST", body: { ref: `refs/${ref}`, sha: commit } }),
    );
    return true;
  }
  const answer = await api(`/git/refs/${ref}`, { method: "PATCH", body: { sha: commit, force } });
  if (answer.status === 422 && !force) return false;
  if (answer.status !== 200) throw new ApiRefusal(task, answer);
  return true;
}
