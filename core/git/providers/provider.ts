import { StepFailure } from "#core/failure.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import type { ApiClient } from "#core/git/providers/api-client.ts";

export const gitProviderNames = ["azure", "bitbucket", "gitea", "github", "gitlab"] as const;
export type GitProviderName = (typeof gitProviderNames)[number];

/** A repository's address as providers see it: all lower case, without user information and `.git`. */
export interface ProviderRepository {
  /** `http` only where the address says so. */
  scheme: "http" | "https";
  /** With its port. */
  host: string;
  /** The names of the path. */
  path: readonly string[];
}

/** A pull request, by whatever name its host calls it. */
export interface PullRequest {
  id: number;
  /** Where people look at it. */
  url: string;
  open: boolean;
  merged: boolean;
  /** "" until it is merged. */
  mergeCommit: string;
  /** RFC 3339; "" when the host does not tell. */
  createdAt: string;
}

export interface NewPullRequest {
  /** Branch that holds the changes. */
  head: string;
  /** Branch that is to get them. */
  base: string;
  title: string;
  description: string;
  labels: readonly string[];
}

/** What an open pull request must match to be found. */
export interface PullRequestSearch {
  head: string;
  base: string;
  headCommit: string;
}

/** What hosts repositories: how its API is spoken to. All calls throw StepFailures. */
export interface GitProvider {
  name: GitProviderName;
  /** Whether a host's name, lower case, tells that it runs this. */
  matches(host: string): boolean;
  /** Where people can look at a commit; undefined when the address is none of a repository there. */
  commitUrl(repository: ProviderRepository, commit: string): string | undefined;
  /** A client for the repository's API. */
  connect(repository: ProviderRepository, api: ApiClient): PullRequests;
}

/** The pull requests of one repository. */
export interface PullRequests {
  create(request: NewPullRequest): Promise<PullRequest>;
  /** Open ones alone. */
  find(search: PullRequestSearch): Promise<PullRequest[]>;
  get(id: number): Promise<PullRequest>;
  /**
   * Merges it, or returns the merged one when it is. Undefined while it cannot be merged for a reason that
   * may pass: checks that run, a draft, a review that is missing.
   */
  merge(id: number, method: string | undefined): Promise<PullRequest | undefined>;
  /** Closes it without merging it. Does nothing when it is not open. */
  close(id: number): Promise<void>;
}

/** What providers are told of a repository; undefined when its address has no host. */
export function readRepository(repoURL: string): ProviderRepository | undefined {
  const match = /^(https?|ssh):\/\/(?:[^@/]*@)?([^/]+)(\/.*)?$/.exec(normalizeGitUrl(repoURL));
  if (match === null) return undefined;
  const [, scheme, host = "", path = ""] = match;
  return { scheme: scheme === "http" ? "http" : "https", host, path: path.split("/").slice(1) };
}

/** The owner and the name of a repository, for providers that know no deeper paths. */
export function ownerAndName({ host, path }: ProviderRepository): [owner: string, name: string] {
  const [owner = "", name = ""] = path;
  if (path.length === 2) return [owner, name];
  throw new StepFailure(
    "errored",
    `Cannot use repository "${host}/${path.join("/")}": its address must end in the names of an owner and a repository`,
  );
}

export function unknownMethod(method: string, known: readonly string[]): StepFailure {
  return new StepFailure("failed", `Cannot merge by "${method}": known methods are ${known.join(", ")}`);
}

export function closedUnmerged(id: number): StepFailure {
  return new StepFailure("failed", `Cannot merge pull request ${id}: it was closed without being merged`);
}
