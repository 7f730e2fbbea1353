import { setTimeout as sleep } from "node:timers/promises";
import { StepFailure } from "#core/failure.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { cacheKey } from "#core/git/mirror.ts";
import { findCommit, runIn, type WorkTree } from "#core/git/work-tree.ts";

const firstPauseMilliseconds = 1_000;
const maxPauseMilliseconds = 30_000;

/**
 * Runs a push until it arrives. One at a time goes to a branch, so that only those who push from elsewhere
 * can be quicker; `attempt` gives undefined when somebody was.
 */
export async function repeatedly(
  tree: WorkTree,
  source: GitSource,
  branch: string,
  { maxAttempts, signal }: { maxAttempts: number; signal: AbortSignal },
  attempt: () => Promise<string | undefined>,
): Promise<string> {
  let pause = firstPauseMilliseconds;
  for (let count = 1; ; count++) {
    const commit = await tree.git.host.exclusively(`git-push:${cacheKey(source.remote)}:${branch}`, attempt);
    if (commit !== undefined) return commit;
    if (count >= maxAttempts) {
      throw new StepFailure(
        "errored",
        `Cannot push to branch "${branch}" of "${source.remote.url}": others pushed to it first, ${count} times in a row`,
      );
    }
    await sleep(pause * (1 + Math.random() / 2), undefined, { signal });
    pause = Math.min(pause * 1.5, maxPauseMilliseconds);
  }
}

/** The repository that a work tree is pushed to. */
export function remoteOf(tree: WorkTree): GitSource {
  if (tree.source !== undefined) return tree.source;
  throw new StepFailure("errored", `Cannot push from "${tree.shown}": its repository has no remote "origin"`);
}

/** Brings `refs/remotes/origin/<branch>` up to date; undefined when the remote has no such branch. */
export async function fetchTracking(
  tree: WorkTree,
  source: GitSource,
  branch: string,
): Promise<string | undefined> {
  const ref = `refs/heads/${branch}`;
  const tracking = `refs/remotes/origin/${branch}`;
  const task = `fetch branch "${branch}" of "${source.remote.url}"`;
  const { stdout } = await runIn(tree, ["ls-remote", "--heads", "--", source.remote.url, ref], {
    task,
    source,
  });
  if (!stdout.split("\n").some((line) => line.endsWith(`\t${ref}`))) return undefined;
  const refspec = `+${ref}:${tracking}`;
  await runIn(tree, ["fetch", "--quiet", "--no-tags", "--", source.remote.url, refspec], { task, source });
  return findCommit(tree, tracking);
}

/** Keeps, before a push, what is pushed and what the remote's branch was. */
export async function note(
  tree: WorkTree,
  key: string,
  commit: string,
  tip: string | undefined,
): Promise<void> {
  const before = tip === undefined ? `delete ${noteOf(key)}/before` : `update ${noteOf(key)}/before ${tip}`;
  await runIn(tree, ["update-ref", "--stdin"], {
    task: "note the commit to push",
    input: `update ${noteOf(key)}/pushed ${commit}\n${before}\n`,
  });
}

/**
 * The commit noted by an earlier call, when it is part of the remote's branch by now. A branch that stands
 * where it stood before that push has not got it, even if it has the commit in its history.
 */
export async function findArrived(
  tree: WorkTree,
  key: string,
  tip: string | undefined,
): Promise<string | undefined> {
  const pushed = await findCommit(tree, `${noteOf(key)}/pushed`);
  if (pushed === undefined || tip === undefined) return undefined;
  if (tip === (await findCommit(tree, `${noteOf(key)}/before`))) return undefined;
  const { exitCode } = await runIn(tree, ["merge-base", "--is-ancestor", pushed, tip], {
    task: "compare with the remote's branch",
    exitCodes: [0, 1],
  });
  return exitCode === 0 ? pushed : undefined;
}

function noteOf(key: string): string {
  return `refs/towpath/pushes/${key}`;
}
