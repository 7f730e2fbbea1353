import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { type ApiClient, ApiRefusal, type ApiRequest, read } from "#core/git/providers/api-client.ts";
import {
  closedUnmerged,
  type GitProvider,
  ownerAndName,
  type ProviderRepository,
  type PullRequest,
  type PullRequests,
  unknownMethod,
} from "#core/git/providers/provider.ts";

const Endpoint = z.object({
  branch: z.object({ name: z.string() }).nullish(),
  commit: z.object({ hash: z.string() }).nullish(),
});
const Pull = z.object({
  id: z.number(),
  state: z.string(),
  draft: z.boolean().nullish(),
  created_on: z.string().nullish(),
  links: z.object({ html: z.object({ href: z.string() }).nullish() }).nullish(),
  merge_commit: z.object({ hash: z.string() }).nullish(),
  source: Endpoint.nullish(),
  destination: Endpoint.nullish(),
});
type Pull = z.infer<typeof Pull>;
const Page = z.object({ values: z.array(Pull).default([]), next: z.string().nullish() });

const methods = ["fast_forward", "merge_commit", "squash"];
const apiUrl = "https://api.bitbucket.org/2.0";

/** Bitbucket Cloud. */
export const bitbucket: GitProvider = {
  name: "bitbucket",
  matches: (host) => host === "bitbucket.org",
  commitUrl: ({ host, path }, commit) => `https://${host}/${path.join("/")}/commits/${commit}`,
  connect,
};

function connect(repository: ProviderRepository, api: ApiClient): PullRequests {
  const [owner, name] = ownerAndName(repository);
  const base = `${apiUrl}/repositories/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
  const headers: Record<string, string> =
    api.token === undefined ? {} : { Authorization: `Bearer ${api.token}` };
  const ask = (rest: string, request?: ApiRequest) => api.ask(base + rest, headers, request);
  const getPull = async (id: number) =>
    read(`get pull request ${id}`, Pull, await ask(`/pullrequests/${id}`));

  /** Pull requests name the merge by a short hash; the commit knows the whole one. */
  async function toPullRequest(pull: Pull): Promise<PullRequest> {
    const hash = pull.merge_commit?.hash ?? "";
    const commit =
      hash === ""
        ? { hash }
        : read(
            `get commit ${hash}`,
            z.object({ hash: z.string() }),
            await ask(`/commit/${encodeURIComponent(hash)}`),
          );
    return {
      id: pull.id,
      url: pull.links?.html?.href ?? "",
      open: pull.state === "OPEN",
      merged: pull.state === "MERGED",
      mergeCommit: commit.hash,
      createdAt: pull.created_on ?? "",
    };
  }

  return {
    // Bitbucket has no labels.
    async create({ head, base: target, title, description }) {
      const body = {
        type: "pullrequest",
        title,
        ...(description === "" ? {} : { description }),
        source: { branch: { name: head } },
        destination: { branch: { name: target } },
      };
      return toPullRequest(
        read("open a pull request", Pull, await ask("/pullrequests", { method: "POST", body })),
      );
    },

    async find({ head, base: target, headCommit }) {
      const found: Pull[] = [];
      for (let page = 1; ; page++) {
        const query = { state: "OPEN", pagelen: 50, page };
        const { values, next } = read("list pull requests", Page, await ask("/pullrequests", { query }));
        const matches = values.filter(({ source, destination }) => {
          const hash = source?.commit?.hash ?? "";
          const isHead = hash !== "" && headCommit.startsWith(hash);
          return isHead && source?.branch?.name === head && destination?.branch?.name === target;
        });
        found.push(...matches);
        if (!next) return Promise.all(found.map(toPullRequest));
      }
    },

    async get(id) {
      return toPullRequest(await getPull(id));
    },

    async merge(id, method) {
      const pull = await getPull(id);
      if (pull.state === "MERGED") return toPullRequest(pull);
      if (pull.state !== "OPEN") throw closedUnmerged(id);
      if (pull.draft) return undefined;
      if (method !== undefined && !methods.includes(method)) throw unknownMethod(method, methods);
      const body = {
        type: "pullrequestMergeParameters",
        ...(method === undefined ? {} : { merge_strategy: method }),
      };
      const answer = await ask(`/pullrequests/${id}/merge`, { method: "POST", body });
      if (answer.status === 202) {
        throw new StepFailure(
          "failed",
          `Cannot merge pull request ${id}: Bitbucket merges it in its own time, which cannot be waited for`,
        );
      }
      if (answer.status !== 200) throw new ApiRefusal(`merge pull request ${id}`, answer);
      return toPullRequest(read(`merge pull request ${id}`, Pull, answer));
    },

    async close(id) {
      if ((await getPull(id)).state !== "OPEN") return;
      const answer = await ask(`/pullrequests/${id}/decline`, { method: "POST", body: {} });
      read(`decline pull request ${id}`, z.unknown(), answer);
    },
  };
}
