import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { type ApiClient, type ApiRequest, read } from "#core/git/providers/api-client.ts";
import {
  closedUnmerged,
  type GitProvider,
  type ProviderRepository,
  type PullRequest,
  type PullRequests,
  unknownMethod,
} from "#core/git/providers/provider.ts";

const Commit = z.object({ commitId: z.string() });
const Pull = z.object({
  pullRequestId: z.number(),
  status: z.string(),
  mergeStatus: z.string().nullish(),
  isDraft: z.boolean().nullish(),
  creationDate: z.string().nullish(),
  lastMergeSourceCommit: Commit.nullish(),
  lastMergeCommit: Commit.nullish(),
  repository: z.object({ webUrl: z.string().nullish() }).nullish(),
});
type Pull = z.infer<typeof Pull>;
const Pulls = z.object({ value: z.array(Pull).default([]) });

const methods = ["noFastForward", "rebase", "rebaseMerge", "squash"];
const version = { "api-version": "7.1" };
const perPage = 100;

/** Azure DevOps. */
export const azure: GitProvider = {
  name: "azure",
  matches: (host) => host === "dev.azure.com" || host.endsWith("visualstudio.com"),
  commitUrl: ({ path }, commit) =>
    `https://dev.azure.com/${path.slice(path[0] === "v3" ? 1 : 0).join("/")}/commit/${commit}`,
  connect,
};

function connect(repository: ProviderRepository, api: ApiClient): PullRequests {
  if (api.token === undefined) {
    throw new StepFailure(
      "refused",
      `Cannot use "${repository.host}": it needs a token, and no credentials are known`,
    );
  }
  const [organization, project, name] = partsOf(repository).map(encodeURIComponent);
  const base = `https://dev.azure.com/${organization}/${project}/_apis/git/repositories/${name}/pullrequests`;
  const headers = { Authorization: `Basic ${Buffer.from(`:${api.token}`).toString("base64")}` };
  const ask = (rest: string, request: ApiRequest = {}) =>
    api.ask(base + rest, headers, { ...request, query: { ...request.query, ...version } });
  const getPull = async (id: number) => read(`get pull request ${id}`, Pull, await ask(`/${id}`));

  return {
    async create({ head, base: target, title, description, labels }) {
      const body = {
        title,
        description,
        labels: labels.map((label) => ({ name: label })),
        sourceRefName: `refs/heads/${head}`,
        targetRefName: `refs/heads/${target}`,
      };
      return toPullRequest(read("open a pull request", Pull, await ask("", { method: "POST", body })));
    },

    async find({ head, base: target, headCommit }) {
      const found: Pull[] = [];
      for (let skip = 0; ; skip += perPage) {
        const query = {
          "searchCriteria.status": "active",
          "searchCriteria.sourceRefName": `refs/heads/${head}`,
          "searchCriteria.targetRefName": `refs/heads/${target}`,
          $top: perPage,
          $skip: skip,
        };
        const { value } = read("list pull requests", Pulls, await ask("", { query }));
        found.push(...value.filter((pull) => pull.lastMergeSourceCommit?.commitId === headCommit));
        if (value.length < perPage) return found.map(toPullRequest);
      }
    },

    async get(id) {
      return toPullRequest(await getPull(id));
    },

    async merge(id, method) {
      const pull = await getPull(id);
      if (pull.status === "completed") return toPullRequest(pull);
      if (pull.status === "abandoned") throw closedUnmerged(id);
      if (pull.status !== "active" || pull.isDraft || pull.mergeStatus !== "succeeded") return undefined;
      if (method !== undefined && !methods.includes(method)) throw unknownMethod(method, methods);
      const body = {
        status: "completed",
        // Merges what was looked at, and nothing that was pushed since.
        lastMergeSourceCommit: pull.lastMergeSourceCommit,
        ...(method === undefined ? {} : { completionOptions: { mergeStrategy: method } }),
      };
      read(`merge pull request ${id}`, Pull, await ask(`/${id}`, { method: "PATCH", body }));
      // Azure merges in its own time; the next look may find it done.
      const after = await getPull(id);
      return after.status === "completed" ? toPullRequest(after) : undefined;
    },

    async close(id) {
      if ((await getPull(id)).status !== "active") return;
      const answer = await ask(`/${id}`, { method: "PATCH", body: { status: "abandoned" } });
      read(`abandon pull request ${id}`, Pull, answer);
    },
  };
}

function partsOf({ host, path }: ProviderRepository): [organization: string, project: string, name: string] {
  const [first = "", second = "", , fourth = ""] = path;
  if (host === "dev.azure.com" && path.length === 4) return [first, second, fourth];
  if (host.endsWith(".visualstudio.com") && path.length === 3) {
    return [host.replace(/\.visualstudio\.com$/, ""), first, path[2] ?? ""];
  }
  throw new StepFailure(
    "errored",
    `Cannot use repository "${host}/${path.join("/")}": its address must be as https://dev.azure.com/<organization>/<project>/_git/<repository>`,
  );
}

function toPullRequest(pull: Pull): PullRequest {
  return {
    id: pull.pullRequestId,
    url: `${pull.repository?.webUrl ?? ""}/pullrequest/${pull.pullRequestId}`,
    open: pull.status === "active",
    merged: pull.status === "completed",
    mergeCommit: pull.lastMergeCommit?.commitId ?? "",
    createdAt: pull.creationDate ?? "",
  };
}
