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

const Branch = z.object({ ref: z.string(), sha: z.string() });
const Pull = z.object({
  number: z.number(),
  html_url: z.string(),
  state: z.string(),
  merged: z.boolean().nullish(),
  merge_commit_sha: z.string().nullish(),
  created_at: z.string().nullish(),
  draft: z.boolean().nullish(),
  mergeable: z.boolean().nullish(),
  head: Branch,
  base: Branch,
});
type Pull = z.infer<typeof Pull>;
const Label = z.object({ id: z.number(), name: z.string() });

const methods = ["fast-forward-only", "manually-merged", "merge", "rebase", "rebase-merge", "squash"];
const perPage = 50;

export const gitea: GitProvider = {
  name: "gitea",
  matches: (host) => host.includes("gitea"),
  commitUrl: ({ host, path }, commit) => `https://${host}/${path.join("/")}/commit/${commit}`,
  connect,
};

function connect(repository: ProviderRepository, api: ApiClient): PullRequests {
  const [owner, name] = ownerAndName(repository);
  const { scheme, host } = repository;
  const base = `${scheme}://${host}/api/v1/repos/${encodeURIComponent(owner)}/${encodeURIComponent(name)}`;
  const headers: Record<string, string> =
    api.token === undefined ? {} : { Authorization: `token ${api.token}` };
  const ask = (rest: string, request?: ApiRequest) => api.ask(base + rest, headers, request);
  const getPull = async (id: number) => read(`get pull request ${id}`, Pull, await ask(`/pulls/${id}`));

  /** Servers may give fewer to a page than are asked for, so that only an empty one is the last. */
  async function listAll<Item extends z.ZodType>(
    what: string,
    path: string,
    item: Item,
    query: Record<string, string>,
  ) {
    const found: z.output<Item>[] = [];
    for (let page = 1; ; page++) {
      const answer = await ask(path, { query: { ...query, page, limit: perPage } });
      const items = read(what, z.array(item), answer);
      if (items.length === 0) return found;
      found.push(...items);
    }
  }

  /** Labels are given by number; one that the repository lacks is an error. */
  async function idsOf(labels: readonly string[]): Promise<number[]> {
    if (labels.length === 0) return [];
    const known = new Map(
      (await listAll("list labels", "/labels", Label, {})).map(({ id, name }) => [name, id]),
    );
    const missing = labels.filter((label) => !known.has(label));
    if (missing.length > 0) {
      throw new StepFailure(
        "errored",
        `Cannot label the pull request: "${owner}/${name}" has no label ${missing.join(", ")}`,
      );
    }
    return [...new Set(labels)].flatMap((label) => known.get(label) ?? []);
  }

  return {
    async create({ head, base: target, title, description, labels }) {
      const body = { title, head, base: target, body: description, labels: await idsOf(labels) };
      return toPullRequest(read("open a pull request", Pull, await ask("/pulls", { method: "POST", body })));
    },

    async find({ head, base: target, headCommit }) {
      const pulls = await listAll("list pull requests", "/pulls", Pull, { state: "open" });
      return pulls
        .filter((pull) => pull.head.sha === headCommit && pull.head.ref === head && pull.base.ref === target)
        .map(toPullRequest);
    },

    async get(id) {
      return toPullRequest(await getPull(id));
    },

    async merge(id, method = "merge") {
      const pull = await getPull(id);
      if (pull.merged) return toPullRequest(pull);
      if (pull.state !== "open") throw closedUnmerged(id);
      if (pull.draft || !pull.mergeable) return undefined;
      if (!methods.includes(method)) throw unknownMethod(method, methods);
      const answer = await ask(`/pulls/${id}/merge`, { method: "POST", body: { Do: method } });
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
    merged: Boolean(pull.merged),
    mergeCommit: pull.merge_commit_sha ?? "",
    createdAt: pull.created_at ?? "",
  };
}
