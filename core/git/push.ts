import { StepFailure } from "#core/failure.ts";
import type { PushIntegrationPolicy } from "#core/git/git-settings.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { integrate } from "#core/git/integrate.ts";
import { fetchTracking, findArrived, note, remoteOf, repeatedly } from "#core/git/push-attempts.ts";
import { branchName, tagName } from "#core/git/ref-names.ts";
import { head, runIn, type WorkTree } from "#core/git/work-tree.ts";

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

/**
 * Pushes HEAD to a branch of the remote and returns the pushed commit. When the branch moved meanwhile, its
 * changes are integrated by the policy and the push is repeated.
 *
 * The commit is noted in the repository before it is pushed. Called again with the same key, after a
 * crash or for another attempt, a commit that arrived is found on the branch and not pushed twice.
 */
export async function pushBranch(tree: WorkTree, options: PushOptions): Promise<string> {
  const source = remoteOf(tree);
  const branch = branchName(options.branch);
  return repeatedly(tree, source, branch, options, () => pushOnce(tree, source, branch, options));
}

/** The pushed commit; undefined when the remote's branch has moved on. */
async function pushOnce(
  tree: WorkTree,
  source: GitSource,
  branch: string,
  { force, policy, key }: PushOptions,
): Promise<string | undefined> {
  const tip = await fetchTracking(tree, source, branch);
  const arrived = await findArrived(tree, key, tip);
  if (arrived !== undefined) return arrived;

  if (!force && tip !== undefined) await integrate(tree, source, branch, policy);
  const commit = await head(tree);
  await note(tree, key, commit, tip);
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

/** Pushes one tag as it is; a tag of that name that says something else is refused by the remote. */
export async function pushTag(tree: WorkTree, tag: string): Promise<void> {
  const source = remoteOf(tree);
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

/** What a push to this remote needs beyond its refs. */
export function pushArguments({ remote }: GitSource): string[] {
  return remote.protocol === "file" ? [`--receive-pack=${localReceiver}`] : [];
}

function rejected(what: string, { remote }: GitSource, stderr: string): StepFailure {
  const reason = /\[(?:remote )?rejected\].*\((.*)\)/.exec(stderr)?.[1] ?? stderr.trim().split("\n").at(-1);
  return new StepFailure("errored", `Cannot push ${what} to "${remote.url}": ${reason}`);
}
