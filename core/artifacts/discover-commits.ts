import { createHash } from "node:crypto";
import type { DiscoveryDeps, Found } from "#core/artifacts/discovery-deps.ts";
import type { CommitHistory, ObservedRefs } from "#core/artifacts/git-selection.ts";
import { isSameObservation, observe, refPatterns, selectCommits } from "#core/artifacts/git-selection.ts";
import { type History, lsRemote, openHistory, openSource } from "#core/git/history.ts";
import type { DiscoveredCommit, GitDiscoveryResult, GitSubscription } from "#core/resources/warehouse.ts";

/** More tags than this are kept as a fingerprint in memory, and not in a status. */
const maxObservedTags = 1_000;

/** What was found before, and the name to remember it under. */
export interface Before {
  key: string;
  previous: GitDiscoveryResult | undefined;
  /** Somebody said that there is news, so that asking for it first would be one trip too many. */
  newsIsLikely: boolean;
}

/** Lists the remote's refs, which costs one request, and reads the history only when they have changed. */
export async function discoverCommits(
  subscription: GitSubscription,
  name: string | undefined,
  deps: DiscoveryDeps,
  before: Before,
): Promise<Found> {
  const { repoURL, insecureSkipTLSVerify, blobless } = subscription;
  const source = await openSource(deps.git, repoURL, {
    credentials: await deps.credentials.find("git", repoURL),
    insecureSkipTLSVerify: insecureSkipTLSVerify ?? false,
    ownFolders: deps.ownFolders,
  });
  const result = (commits: DiscoveredCommit[], observed: ObservedRefs | undefined): GitDiscoveryResult => ({
    repoURL,
    commits,
    ...(name === undefined ? {} : { subscriptionName: name }),
    ...(observed === undefined || isTooLarge(observed) ? {} : { observedRefs: observed }),
  });

  const select = async () => {
    const history = await openHistory(deps.git, source, blobless ? { blobless } : {});
    const remembering = rememberChanges(history, deps.changes, source.remote.url);
    const head = rememberHead(remembering);
    return { ...(await selectCommits(subscription, head.history, deps.matches)), head: head.found() };
  };

  if (before.newsIsLikely && tellsItsHead(subscription)) {
    const { chosen, leftOut, head } = await select();
    return found(result(chosen, head === undefined ? undefined : { branchHead: head }), leftOut, false);
  }
  const refs = await lsRemote(deps.git, source, refPatterns(subscription));
  const observed = observe(subscription, refs);
  const known = knownCommits(subscription, observed, deps, before);
  if (known !== undefined) return found(result(known, observed), [], true);
  const { chosen, leftOut } = await select();
  if (observed !== undefined && isTooLarge(observed)) {
    deps.observations.set(before.key, fingerprint(subscription, observed));
  }
  return found(result(chosen, observed), leftOut, false);
}

/** Whether the first commit that is listed is the branch's newest. */
function tellsItsHead({ commitSelectionStrategy, branch, since }: GitSubscription): boolean {
  return commitSelectionStrategy === "NewestFromBranch" && Boolean(branch) && !since;
}

/** Keeps the first commit that is listed. */
function rememberHead(history: CommitHistory) {
  let head: string | undefined;
  const watched: CommitHistory = {
    ...history,
    async commits(options) {
      const batch = await history.commits(options);
      head ??= batch[0]?.id;
      return batch;
    },
  };
  return { history: watched, found: () => head };
}

/** What a commit changes never changes: in a busy repository each look would ask for the same old commits. */
function rememberChanges(
  history: History,
  changes: DiscoveryDeps["changes"],
  repository: string,
): CommitHistory {
  const keyOf = (commit: string) => `${repository} ${commit}`;
  return {
    commits: (options) => history.commits(options),
    tags: () => history.tags(),
    async readAhead(commits) {
      const unknown = commits.filter((commit) => changes.get(keyOf(commit)) === undefined);
      if (unknown.length < 2) return;
      // Too much to be read together can still be read one by one.
      const read = await history.changes(unknown).catch(() => new Map<string, string[]>());
      for (const [commit, paths] of read) changes.set(keyOf(commit), paths);
    },
    async changedPaths(commit) {
      const known = changes.get(keyOf(commit));
      if (known !== undefined) return [...known];
      const paths = await history.changedPaths(commit);
      changes.set(keyOf(commit), paths);
      return paths;
    },
  };
}

/** The commits found before, when the refs say that nothing has moved since. */
function knownCommits(
  subscription: GitSubscription,
  observed: ObservedRefs | undefined,
  { observations }: DiscoveryDeps,
  { key, previous }: Before,
): DiscoveredCommit[] | undefined {
  if (observed === undefined || previous?.repoURL !== subscription.repoURL) return undefined;
  const isSame = isTooLarge(observed)
    ? observations.get(key) === fingerprint(subscription, observed)
    : isSameObservation(previous.observedRefs, observed);
  return isSame ? previous.commits : undefined;
}

function isTooLarge({ tags = [] }: ObservedRefs): boolean {
  return tags.length > maxObservedTags;
}

function fingerprint(subscription: GitSubscription, { tags = [] }: ObservedRefs): string {
  const hash = createHash("sha256").update(JSON.stringify(subscription));
  for (const { name, id } of tags) hash.update(`${name} ${id}\n`);
  return hash.digest("base64");
}

function found(result: GitDiscoveryResult, leftOut: Found["leftOut"], unchanged: boolean): Found {
  const chosen = result.commits.map(({ tag, id = "" }) => tag ?? id);
  return { kind: "git", result, chosen, leftOut, unchanged };
}
