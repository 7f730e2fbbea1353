import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { type ApiAnswer, type ApiClient, ApiRefusal, read } from "#core/git/providers/api-client.ts";
import { githubApi } from "#core/git/providers/github-api.ts";
import {
  closedUnmerged,
  type GitProvider,
  type NewPullRequest,
  ownerAndName,
  type ProviderRepository,
  type PullRequest,
  type PullRequestSearch,
  type PullRequests,
} from "#core/git/providers/provider.ts";

const Pull = z.object({
  number: z.number(),
  html_url: z.string(),
  state: z.string(),
  merged_at: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  created_at: z.string().nullish(),
  head: z.object({ sha: z.string() }),
  draft: z.boolean().nullish(),
  mergeable: z.boolean().nullish(),
  mergeable_state: z.string().nullish(),
});
type Pull = z.infer<typeof Pull>;

const perPage = 100;

export const github: GitProvider = {
  name: "github",
  matches: (host) => host.includes("github") || host.endsWith(".ghe.com"),
  commitUrl: ({ host, path }, commit) =>
    path.length === 2 ? `https://${host}/${path.join("/")}/commit/${commit}` : undefined,
  connect,
};

function connect(repository: ProviderRepository, api: ApiClient): PullRequests {
  const [owner] = ownerAndName(repository);
  const ask = githubApi(repository, api);
  const getPull = async (id: number) => read(`get pull request ${id}`, Pull, await ask(`/pulls/${id}`));

  return {
    async create({ head, base: target, title, description, labels }: NewPullRequest) {
      const body = { title, head, base: target, body: description, maintainer_can_modify: false };
      const pull = read("open a pull request", Pull, await ask("/pulls", { method: "POST", body }));
      if (labels.length > 0) {
        const answer = await ask(`/issues/${pull.number}/labels`, { method: "POST", body: { labels } });
        read(`label pull request ${pull.number}`, z.unknown(), answer);
      }
      return toPullRequest(pull);
    },

    async find({ head, base: target, headCommit }: PullRequestSearch) {
      const found: Pull[] = [];
      for (let page = 1; ; page++) {
        const query = { head: `${owner}:${head}`, base: target, state: "open", per_page: perPage, page };
        const pulls = read("list pull requests", z.array(Pull), await ask("/pulls", { query }));
        found.push(...pulls.filter((pull) => pull.head.sha === headCommit));
        if (pulls.length < perPage) return found.map(toPullRequest);
      }
    },

    async get(id) {
      return toPullRequest(await getPull(id));
    },

    async merge(id, method) {
      const pull = await getPull(id);
      if (pull.merged_at) return toPullRequest(pull);
      if (pull.state !== "open") throw closedUnmerged(id);
      const readiness = readinessOf(pull);
      if (readiness === "later") return undefined;
      const body = method === undefined ? {} : { merge_method: method };
      const answer = await ask(`/pulls/${id}/merge`, { method: "PUT", body });
      if (answer.status === 405 && mayPass(answer, readiness)) return undefined;
      if (answer.status !== 200) throw new ApiRefusal(`merge pull request ${id}`, answer);
      return toPullRequest(await getPull(id));
    },

    async close(id) {
      const { state } = await getPull(id);
      if (state !== "open") return;
      const answer = await ask(`/pulls/${id}`, { method: "PATCH", body: { state: "closed" } });
      read(`close pull request ${id}`, z.unknown(), answer);
    },
  };
}

function toPullRequest(pull: Pull): PullRequest {
  return {
    id: pull.number,
    url: pull.html_url,
    open: pull.state === "open",
    merged: Boolean(pull.merged_at),
    mergeCommit: pull.merge_commit_sha ?? "",
    createdAt: pull.created_at ?? "",
  };
}

/** "blocked" is tried all the same: who asks may be allowed to pass by the rules that block others. */
type Readiness = "ready" | "blocked" | "later";

function readinessOf(pull: Pull): Readiness {
  switch (pull.mergeable_state) {
    case "clean":
    case "unstable":
    case "has_hooks":
      return "ready";
    case "blocked":
    case "behind":
      return "blocked";
    case "draft":
    case "unknown":
      return "later";
    case "dirty":
      throw new StepFailure(
        "failed",
        `Cannot merge pull request ${pull.number}: its changes conflict with the branch`,
      );
    default:
      return pull.draft || !pull.mergeable ? "later" : "ready";
  }
}

/** GitHub answers 405 for every reason, so that its words must tell which ones pass. */
function mayPass({ body }: ApiAnswer, readiness: Readiness): boolean {
  const message = z.object({ message: z.string() }).safeParse(body).data?.message ?? "";
  if (message.includes("not allowed")) return false;
  if (message.includes("Base branch was modified")) return true;
  return message.includes("Pull Request is not mergeable") || readiness === "blocked";
}
