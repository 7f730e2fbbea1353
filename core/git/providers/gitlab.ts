import { z } from "zod";
import { type ApiClient, type ApiRequest, read } from "#core/git/providers/api-client.ts";
import {
  closedUnmerged,
  type GitProvider,
  type ProviderRepository,
  type PullRequest,
  type PullRequests,
  unknownMethod,
} from "#core/git/providers/provider.ts";

const MergeRequest = z.object({
  iid: z.number(),
  web_url: z.string(),
  state: z.string(),
  sha: z.string().nullish(),
  merge_commit_sha: z.string().nullish(),
  created_at: z.string().nullish(),
  draft: z.boolean().nullish(),
  detailed_merge_status: z.string().nullish(),
});
type MergeRequest = z.infer<typeof MergeRequest>;

const methods = ["merge", "squash"];
const perPage = 100;

export const gitlab: GitProvider = {
  name: "gitlab",
  matches: (host) => host.includes("gitlab"),
  commitUrl: ({ host, path }, commit) => `https://${host}/${path.join("/")}/-/commit/${commit}`,
  connect,
};

function connect({ scheme, host, path }: ProviderRepository, api: ApiClient): PullRequests {
  const project = `${scheme}://${host}/api/v4/projects/${encodeURIComponent(path.join("/"))}`;
  const headers: Record<string, string> = api.token === undefined ? {} : { "PRIVATE-TOKEN": api.token };
  const ask = (rest: string, request?: ApiRequest) =>
    api.ask(`${project}/merge_requests${rest}`, headers, request);
  const getRequest = async (id: number) => read(`get merge request ${id}`, MergeRequest, await ask(`/${id}`));

  return {
    async create({ head, base, title, description, labels }) {
      const body = {
        title,
        description,
        source_branch: head,
        target_branch: base,
        ...(labels.length === 0 ? {} : { labels: labels.join(",") }),
      };
      return toPullRequest(
        read("open a merge request", MergeRequest, await ask("", { method: "POST", body })),
      );
    },

    async find({ head, base, headCommit }) {
      const found: MergeRequest[] = [];
      for (let page = 1; ; page++) {
        const query = { source_branch: head, target_branch: base, per_page: perPage, page };
        const requests = read("list merge requests", z.array(MergeRequest), await ask("", { query }));
        found.push(...requests.filter((request) => isOpen(request) && request.sha === headCommit));
        if (requests.length < perPage) return found.map(toPullRequest);
      }
    },

    async get(id) {
      return toPullRequest(await getRequest(id));
    },

    async merge(id, method) {
      const request = await getRequest(id);
      if (request.state === "merged") return toPullRequest(request);
      if (request.state !== "opened") throw closedUnmerged(id);
      if (request.draft || request.detailed_merge_status !== "mergeable") return undefined;
      if (method !== undefined && !methods.includes(method)) throw unknownMethod(method, methods);
      const body = method === "squash" ? { squash: true } : {};
      const answer = await ask(`/${id}/merge`, { method: "PUT", body });
      return toPullRequest(read(`merge merge request ${id}`, MergeRequest, answer));
    },

    async close(id) {
      if (!isOpen(await getRequest(id))) return;
      const answer = await ask(`/${id}`, { method: "PUT", body: { state_event: "close" } });
      read(`close merge request ${id}`, z.unknown(), answer);
    },
  };
}

function isOpen({ state }: MergeRequest): boolean {
  return state === "opened" || state === "locked";
}

function toPullRequest(request: MergeRequest): PullRequest {
  return {
    id: request.iid,
    url: request.web_url,
    open: isOpen(request),
    merged: request.state === "merged",
    mergeCommit: request.merge_commit_sha ?? "",
    createdAt: request.created_at ?? "",
  };
}
