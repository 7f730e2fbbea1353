import { setTimeout as sleep } from "node:timers/promises";
import { StepFailure } from "#core/failure.ts";
import type { GitSource } from "#core/git/git.ts";
import type { PushIntegrationPolicy } from "#core/git/git-settings.ts";
import { fetchTracking, integrate } from "#core/git/integrate.ts";
import { cacheKey } from "#core/git/mirror.ts";
import { branchName, tagName } from "#core/git/ref-names.ts";
import { findCommit, head, runIn, type WorkTree } from "#core/git/work-tree.ts";

export interface PushOptions {
  branch: string;
  force: boolean;
  policy: PushIntegrationPolicy;
  maxAttempts: number;
  /** Names the push across attempts and restarts, so that what arrived is not pushed again. */
  key: string;
  signal: AbortSignal;
}

/** The remote has commits that the pushed history lacks; integrating them and pushing again may help. */
const refused =
  /^\s*!\s+\[(?:remote )?rejected\].+\((?:non-fast-forward|fetch first|cannot lock ref.*|failed to (?:lock|update ref).*|incorrect old value provided|reference already exists)\)\s*$/m;

const firstPauseMilliseconds = 1_000;
const maxPauseMilliseconds = 30_000;

/**
 * Pushes HEAD to a branch of the remote and returns the pushed commit. One push at a time goes to a
 * branch; when the branch moved meanwhile, its changes are integrated by the policy and the push is repeated.
 *
 * The commit is noted in the repository before it is pushed. Called again with the same key, after a
 * crash or for another attempt, a commit that arrived is found on the branch and not pushed twice.
 */
export async function pushBranch(tree: WorkTree, options: PushOptions): Promise<string> {
  const source = sourceOf(tree);
  const branch = branchName(options.branch);
  const note = `refs/towpath/pushes/${options.key}`;
  let pause = firstPauseMilliseconds;
  for (let attempt = 1; ; attempt++) {
    const commit = await tree.git.host.exclusively(`git-push:${cacheKey(source.remote)}:${branch}`, () =>
      pushOnce(tree, source, branch, note, options),
    );
    if (commit !== undefined) return commit;
    if (attempt >= options.maxAttempts) {
      throw new StepFailure(
        "errored",
        `Cannot push to branch "${branch}" of "${source.remote.url}": others pushed to it first, ${attempt} times in a row`,
      );
    }
    await sleep(pause * (1 + Math.random() / 2), undefined, { signal: options.signal });
    pause = Math.min(pause * 1.5, maxPauseMilliseconds);
  }
}

/** The pushed commit; undefined when the remote's branch has moved on. */
async function pushOnce(
  tree: WorkTree,
  source: GitSource,
  branch: string,
  note: string,
  { force, policy }: PushOptions,
): Promise<string | undefined> {
  const arrived = await findArrived(tree, source, branch, note);
  if (arrived !== undefined) return arrived;

  if (!force) await integrate(tree, source, branch, policy);
  const commit = await head(tree);
  await runIn(tree, ["update-ref", note, commit], { task: "note the commit to push" });
  const result = await runIn(
    tree,
    [
      "push",
      ...pushArguments(source),
      ...(force ? ["--force"] : []),
      "--",
      source.remote.url,
      `HEAD:refs/heads/${branch}`,
    ],
    { task: `push to branch "${branch}" of "${source.remote.url}"`, source, exitCodes: [0, 1] },
  );
  if (result.exitCode === 0) return commit;
  if (refused.test(result.stderr)) return undefined;
  throw rejected(`branch "${branch}"`, source, result.stderr);
}

/** The commit noted by an earlier call, when it is part of the remote's branch by now. */
async function findArrived(
  tree: WorkTree,
  source: GitSource,
  branch: string,
  note: string,
): Promise<string | undefined> {
  const noted = await findCommit(tree, note);
  if (noted === undefined) return undefined;
  if (!(await fetchTracking(tree, source, branch))) return undefined;
  const { exitCode } = await runIn(
    tree,
    ["merge-base", "--is-ancestor", noted, `refs/remotes/origin/${branch}`],
    {
      task: "compare with the remote's branch",
      exitCodes: [0, 1],
    },
  );
  return exitCode === 0 ? noted : undefined;
}

/** Pushes one tag as it is; a tag of that name that says something else is refused by the remote. */
export async function pushTag(tree: WorkTree, tag: string): Promise<void> {
  const source = sourceOf(tree);
  const ref = `refs/tags/${tagName(tag)}`;
  const result = await runIn(
    tree,
    ["push", ...pushArguments(source), "--", source.remote.url, `${ref}:${ref}`],
    {
      task: `push tag "${tag}" to "${source.remote.url}"`,
      source,
      exitCodes: [0, 1],
    },
  );
  if (result.exitCode !== 0) throw rejected(`tag "${tag}"`, source, result.stderr);
}

/** A repository on this machine gets no say in what runs here: its hooks would, as whoever runs the daemon. */
const localReceiver = [
  "git",
  "-c core.hooksPath=/dev/null",
  "-c core.alternateRefsCommand=true",
  "-c receive.autogc=false",
  "-c receive.denyCurrentBranch=refuse",
  "receive-pack",
].join(" ");

function pushArguments({ remote }: GitSource): string[] {
  return remote.protocol === "file" ? [`--receive-pack=${localReceiver}`] : [];
}

function sourceOf(tree: WorkTree): GitSource {
  if (tree.source !== undefined) return tree.source;
  throw new StepFailure("errored", `Cannot push from "${tree.shown}": its repository has no remote "origin"`);
}

function rejected(what: string, { remote }: GitSource, stderr: string): StepFailure {
  const reason = /\[(?:remote )?rejected\].*\((.*)\)/.exec(stderr)?.[1] ?? stderr.trim().split("\n").at(-1);
  return new StepFailure("errored", `Cannot push ${what} to "${remote.url}": ${reason}`);
}
