import { pathFilter } from "#core/artifacts/path-filter.ts";
import type { LeftOut, Rule, Selection } from "#core/artifacts/selection.ts";
import { applyRules, beyondLimit, firstReason, limitOf } from "#core/artifacts/selection.ts";
import { tagRules, versionRules } from "#core/artifacts/tag-rules.ts";
import { newestVersionFirst, parseVersion } from "#core/artifacts/version.ts";
import { StepFailure } from "#core/failure.ts";
import type { CommitMetadata, History, RemoteRef, TagMetadata } from "#core/git/history.ts";
import type { DiscoveredCommit, GitDiscoveryResult, GitSubscription } from "#core/resources/warehouse.ts";

export type ObservedRefs = NonNullable<GitDiscoveryResult["observedRefs"]>;

/** A repository's history, as far as commits are chosen from it. */
export interface CommitHistory extends Pick<History, "commits" | "tags" | "changedPaths"> {
  /** Told of commits whose changes are about to be asked for, so that they can be read together. */
  readAhead?(commits: readonly string[]): Promise<void>;
}

/** Tells whether an expression holds for a commit or a tag. Times in `env` are RFC 3339. */
export type ExpressionFilter = (expression: string, env: CommitEnv) => Promise<boolean>;

/** What an expressionFilter sees: `times` become times, `texts` stay what they are. */
export interface CommitEnv {
  texts: Record<string, string>;
  times: Record<string, string>;
}

/** What to list of the remote to learn whether anything is new. */
export function refPatterns({ commitSelectionStrategy, branch }: GitSubscription): string[] {
  if (commitSelectionStrategy !== "NewestFromBranch") return ["refs/tags/*"];
  return [branch ? `refs/heads/${branch}` : "HEAD"];
}

/**
 * What the listed refs come to for this subscription: as long as it stays the same, so does what would be
 * chosen. Undefined when the branch is not there.
 */
export function observe(subscription: GitSubscription, refs: readonly RemoteRef[]): ObservedRefs | undefined {
  if (subscription.commitSelectionStrategy === "NewestFromBranch") {
    const [wanted] = refPatterns(subscription);
    const found = refs.find(({ name }) => name === wanted);
    return found && { branchHead: found.id };
  }
  const rules = rulesFor(subscription);
  const tags = refs
    .map(({ name, id }) => ({ name: name.replace(/^refs\/tags\//, ""), id }))
    .filter(({ name }) => firstReason(name, rules) === undefined)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  return { tags };
}

export function isSameObservation(one: ObservedRefs | undefined, other: ObservedRefs | undefined): boolean {
  if (one === undefined || other === undefined || one.branchHead !== other.branchHead) return false;
  const ones = one.tags ?? [];
  const others = other.tags ?? [];
  return (
    ones.length === others.length &&
    ones.every(({ name, id }, at) => name === others[at]?.name && id === others[at]?.id)
  );
}

/** Whether a ref could bring this subscription something, as far as its name tells; used by webhooks. */
export function couldTakeRef(subscription: GitSubscription, ref: string): boolean {
  if (subscription.commitSelectionStrategy !== "NewestFromBranch") {
    return ref.startsWith("refs/tags/") && firstReason(ref.slice(10), rulesFor(subscription)) === undefined;
  }
  if (!ref.startsWith("refs/heads/")) return false;
  const branch = ref.slice(11);
  // Nobody knows the name of the default branch without asking.
  return subscription.branch ? branch === subscription.branch : branch === "main" || branch === "master";
}

/** The commits that the subscription's strategy chooses, the best first. */
export async function selectCommits(
  subscription: GitSubscription,
  history: CommitHistory,
  matches: ExpressionFilter,
): Promise<Selection<DiscoveredCommit>> {
  return subscription.commitSelectionStrategy === "NewestFromBranch"
    ? selectFromBranch(subscription, history, matches)
    : selectByTag(subscription, history, matches);
}

async function selectFromBranch(
  subscription: GitSubscription,
  history: CommitHistory,
  matches: ExpressionFilter,
): Promise<Selection<DiscoveredCommit>> {
  const { branch, since } = subscription;
  const limit = limitOf(subscription);
  const judge = judgeOf(subscription, history, matches);
  const chosen: CommitMetadata[] = [];
  const leftOut: LeftOut[] = [];
  // Batches that grow: the newest commits usually do, and long histories are not read one by one.
  for (let skip = 0, size = limit; chosen.length < limit; skip += size, size = Math.min(size * 2, 1000)) {
    const batch = await history.commits({
      ...(branch ? { branch } : {}),
      ...(since ? { since } : {}),
      limit: size,
      skip,
    });
    if (hasPaths(subscription)) await history.readAhead?.(batch.map(({ id }) => id));
    for (const commit of batch) {
      if (chosen.length === limit) break;
      const reason = await judge(commit.id, commitEnv(commit));
      if (reason === undefined) chosen.push(commit);
      else leftOut.push({ name: shortId(commit.id), reason });
    }
    if (batch.length < size) break;
  }
  return { chosen: chosen.map((commit) => toDiscovered(commit, commit.committedAt, { branch })), leftOut };
}

async function selectByTag(
  subscription: GitSubscription,
  history: CommitHistory,
  matches: ExpressionFilter,
): Promise<Selection<DiscoveredCommit>> {
  const rules = rulesFor(subscription);
  const tags = await history.tags();
  const byName = new Map(tags.map((tag) => [tag.tag, tag]));
  const { chosen: names, leftOut } = applyRules([...byName.keys()], rules);
  const limit = limitOf(subscription);
  const judge = judgeOf(subscription, history, matches);
  const sorted = sortTags(subscription, names);
  const chosen: DiscoveredCommit[] = [];
  for (const [at, name] of sorted.entries()) {
    if (chosen.length === limit) {
      leftOut.push(...sorted.slice(at).map((rest) => ({ name: rest, reason: beyondLimit(limit) })));
      break;
    }
    const tag = byName.get(name);
    if (tag === undefined) continue;
    if (hasPaths(subscription) && at % limit === 0) {
      const next = sorted.slice(at, at + limit).flatMap((one) => byName.get(one)?.commitId ?? []);
      await history.readAhead?.(next);
    }
    const reason = await judge(tag.commitId, tagEnv(tag));
    if (reason === undefined)
      chosen.push(toDiscovered({ ...tag, id: tag.commitId }, tag.createdAt, { tag: name }));
    else leftOut.push({ name, reason });
  }
  return { chosen, leftOut };
}

function rulesFor(subscription: GitSubscription): Rule[] {
  const rules = tagRules(subscription);
  if (subscription.commitSelectionStrategy !== "SemVer") return rules;
  const { strictSemvers, semverConstraint } = subscription;
  const field = "semverConstraint";
  return [...rules, ...versionRules({ strict: strictSemvers, constraint: semverConstraint, field })];
}

/** The best first. */
function sortTags({ commitSelectionStrategy }: GitSubscription, names: readonly string[]): string[] {
  switch (commitSelectionStrategy) {
    case "SemVer":
      return names
        .flatMap((name) => parseVersion(name) ?? [])
        .sort(newestVersionFirst)
        .map(({ original }) => original);
    case "Lexical":
      return [...names].sort((one, other) => Buffer.compare(Buffer.from(other), Buffer.from(one)));
    default:
      // As the history lists them: by the time of their creation.
      return [...names];
  }
}

function hasPaths({ includePaths = [], excludePaths = [] }: GitSubscription): boolean {
  return includePaths.length + excludePaths.length > 0;
}

type Judge = (commit: string, env: CommitEnv) => Promise<string | undefined>;

/** Why a commit is left out by the expression or by the paths that it changes. */
function judgeOf(subscription: GitSubscription, history: CommitHistory, matches: ExpressionFilter): Judge {
  const { expressionFilter } = subscription;
  const changeCounts = pathFilter(subscription);
  return async (commit, env) => {
    if (expressionFilter && !(await holds(expressionFilter, env, matches))) {
      return "does not satisfy expressionFilter";
    }
    if (changeCounts === undefined || changeCounts(await history.changedPaths(commit))) return undefined;
    return "changes nothing that includePaths and excludePaths let count";
  };
}

async function holds(expression: string, env: CommitEnv, matches: ExpressionFilter): Promise<boolean> {
  try {
    return await matches(expression, env);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StepFailure("config", `Cannot evaluate expressionFilter: ${why}`, { cause });
  }
}

function commitEnv({ id, author, committer, subject, committedAt }: CommitMetadata): CommitEnv {
  return { texts: { id, author, committer, subject }, times: { commitDate: committedAt } };
}

function tagEnv({
  tag,
  commitId,
  createdAt,
  author,
  committer,
  subject,
  tagger,
  annotation,
}: TagMetadata): CommitEnv {
  return {
    texts: { tag, id: commitId, author, committer, subject, tagger, annotation },
    times: { creatorDate: createdAt },
  };
}

function toDiscovered(
  { id, subject, author, committer }: Pick<CommitMetadata, "id" | "subject" | "author" | "committer">,
  createdAt: string,
  { branch, tag }: { branch?: string | undefined; tag?: string },
): DiscoveredCommit {
  return {
    id,
    ...(branch ? { branch } : {}),
    ...(tag === undefined ? {} : { tag }),
    subject: shorten(subject, 80),
    author,
    committer,
    creatorDate: new Date(createdAt).toISOString().replace(/\.\d+Z$/, "Z"),
  };
}

/** At most so many characters; status is no place for novels. */
function shorten(text: string, length: number): string {
  const characters = [...text];
  return characters.length > length ? `${characters.slice(0, length - 3).join("")}...` : text;
}

function shortId(id: string): string {
  return id.slice(0, 12);
}
