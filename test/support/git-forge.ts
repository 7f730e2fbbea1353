import { mkdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import type { StepContext } from "#core/step.ts";
import { bareRepository, commitTo, git, gitAsNobody } from "#test/support/git-fixture.ts";
import { type GitServer, serveOverHttp } from "#test/support/git-server.ts";
import { fakeContext, temporaryFolder } from "#test/support/step-context.ts";

/** A pull request as the forge keeps it, before it takes the form of an API. */
export interface ForgePull {
  id: number;
  head: string;
  base: string;
  title: string;
  body: string;
  labels: unknown;
  state: "open" | "merged" | "closed";
  draft: boolean;
  mergeable: boolean;
  method: unknown;
  mergeCommit: string | undefined;
}

export interface Forge {
  repoURL: string;
  bare: string;
  pulls: ForgePull[];
  server: GitServer;
  /** Answers the next requests to the API before the forge does: status and body. */
  answers: [status: number, body: unknown][];
  /** Told of each request to GitHub's API before it is answered. */
  onRequest: ((method: string, path: string) => void) | undefined;
}

export type ForgeApi = "github" | "gitlab" | "gitea" | "bitbucket" | "azure";

const token = "t0ken";

/** A host of one repository with a pull request API as its makers publish it. */
export async function startForge(api: ForgeApi): Promise<Forge> {
  const root = temporaryFolder();
  mkdirSync(path.join(root, "team"));
  const bare = bareRepository([{ a: "1" }], path.join(root, "team"));
  commitTo(bare, "change", { a: "2" }, "Change a\n\nBecause it is\nbetter.");
  const forge: Forge = {
    repoURL: "",
    bare,
    pulls: [],
    server: undefined as never,
    answers: [],
    onRequest: undefined,
  };
  forge.server = await serveOverHttp(root, {
    user: { name: "robot", password: token },
    intercept(request, response) {
      if (!/^\/(api|2\.0)\/|\/_apis\//.test(request.url ?? "")) return false;
      void answer(forge, api, request, response);
      return true;
    },
  });
  forge.repoURL = `${forge.server.url}/team/repo.git`;
  return forge;
}

export const forgeCredentials = { username: "robot", password: token };

const azureURL = "https://dev.azure.com/team/shop/_git/repo";

/**
 * What a step needs to take the forge for its provider's own host: Bitbucket Cloud and Azure DevOps have one
 * address for everybody, which is led to the forge here.
 */
export function forgeContext(forge: Forge, api: ForgeApi): Partial<StepContext> & { repoURL: string } {
  const { fetch, exec } = fakeContext();
  // Copies are kept by address, and every forge has the same.
  const cache = temporaryFolder();
  const lead = (url: string | URL) =>
    String(url).replace(/^https:\/\/(api\.bitbucket\.org|dev\.azure\.com)/, forge.server.url);
  return {
    credentials: { find: async () => forgeCredentials },
    fetch: (url, init) => fetch(lead(url), init),
    exec: (program, args, options) =>
      exec(
        program,
        args.map((arg) => (arg === azureURL ? forge.bare : arg)),
        options,
      ),
    cacheFolder: async (name) => {
      mkdirSync(path.join(cache, name), { recursive: true });
      return path.join(cache, name);
    },
    repoURL: api === "azure" ? azureURL : forge.repoURL,
  };
}

async function answer(
  forge: Forge,
  api: ForgeApi,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let text = "";
  for await (const chunk of request) text += chunk;
  const body = text === "" ? {} : JSON.parse(text);
  const url = new URL(request.url ?? "/", "http://x");
  const [status, result] = isAllowed(api, request)
    ? (forge.answers.shift() ?? apis[api](forge, request.method ?? "", url, body))
    : [401, { message: "Bad credentials" }];
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(result));
}

function isAllowed(api: ForgeApi, { headers }: IncomingMessage): boolean {
  switch (api) {
    case "gitlab":
      return headers["private-token"] === token;
    case "gitea":
      return headers.authorization === `token ${token}`;
    case "azure":
      return headers.authorization === `Basic ${Buffer.from(`:${token}`).toString("base64")}`;
    default:
      return headers.authorization === `Bearer ${token}`;
  }
}

type Handler = (
  forge: Forge,
  method: string,
  url: URL,
  body: Record<string, unknown>,
) => [status: number, body: unknown];

const apis: Record<ForgeApi, Handler> = {
  github(forge, method, { pathname, searchParams }, body) {
    const rest = pathname.replace("/api/v3/repos/team/repo", "");
    forge.onRequest?.(method, rest);
    if (rest === "/pulls" && method === "GET") {
      const [owner, head] = searchParams.get("head")?.split(":") ?? [];
      const base = searchParams.get("base");
      const open = searchParams.get("state") === "open";
      const found = forge.pulls.filter(
        (pull) => pull.head === head && pull.base === base && pull.state === "open" && open,
      );
      return [200, owner === "team" ? found.map((pull) => asGithub(forge, pull)) : []];
    }
    if (rest === "/pulls")
      return [201, asGithub(forge, open(forge, body.head, body.base, body.title, body.body))];
    if (rest.startsWith("/git/")) return gitData(forge, method, rest.slice("/git/".length), body);
    const [, collection, id, action] = rest.split("/");
    const pull = forge.pulls[Number(id) - 1];
    if (pull === undefined) return [404, { message: "Not Found" }];
    if (collection === "issues" && action === "labels") {
      pull.labels = body.labels;
      return [200, []];
    }
    if (action === "merge") {
      merge(forge, pull, body.merge_method);
      return [200, { sha: pull.mergeCommit, merged: true, message: "Pull Request successfully merged" }];
    }
    if (method === "PATCH" && body.state === "closed") pull.state = "closed";
    return [200, asGithub(forge, pull)];
  },

  gitlab(forge, method, { pathname, searchParams }, body) {
    const rest = pathname.replace("/api/v4/projects/team%2Frepo/merge_requests", "");
    if (rest === "" && method === "GET") {
      const found = forge.pulls.filter(
        (pull) =>
          pull.head === searchParams.get("source_branch") && pull.base === searchParams.get("target_branch"),
      );
      return [200, found.map((pull) => asGitlab(forge, pull))];
    }
    if (rest === "") {
      const pull = open(forge, body.source_branch, body.target_branch, body.title, body.description);
      pull.labels = body.labels;
      return [201, asGitlab(forge, pull)];
    }
    const [, id, action] = rest.split("/");
    const pull = forge.pulls[Number(id) - 1];
    if (pull === undefined) return [404, { message: "404 Not found" }];
    if (action === "merge") merge(forge, pull, body.squash);
    if (method === "PUT" && body.state_event === "close") pull.state = "closed";
    return [200, asGitlab(forge, pull)];
  },

  gitea(forge, method, { pathname, searchParams }, body) {
    const rest = pathname.replace("/api/v1/repos/team/repo", "");
    if (rest === "/labels") {
      const pages = [[{ id: 7, name: "one" }], [{ id: 8, name: "two" }], []];
      return [200, pages[Number(searchParams.get("page")) - 1]];
    }
    if (rest === "/pulls" && method === "GET") {
      const found = forge.pulls.filter((pull) => pull.state === "open");
      return [200, searchParams.get("page") === "1" ? found.map((pull) => asGitea(forge, pull)) : []];
    }
    if (rest === "/pulls") {
      const pull = open(forge, body.head, body.base, body.title, body.body);
      pull.labels = body.labels;
      return [201, asGitea(forge, pull)];
    }
    const [, , id, action] = rest.split("/");
    const pull = forge.pulls[Number(id) - 1];
    if (pull === undefined) return [404, { message: "pull request does not exist" }];
    if (action === "merge") {
      merge(forge, pull, body.Do);
      return [200, undefined];
    }
    if (method === "PATCH" && body.state === "closed") pull.state = "closed";
    return [200, asGitea(forge, pull)];
  },

  bitbucket(forge, method, { pathname, searchParams }, body) {
    const rest = pathname.replace("/2.0/repositories/team/repo", "");
    if (rest.startsWith("/commit/")) {
      return [200, { type: "commit", hash: git(forge.bare, "rev-parse", rest.slice("/commit/".length)) }];
    }
    if (rest === "/pullrequests" && method === "GET") {
      const found = forge.pulls.filter(({ state }) => bitbucketState[state] === searchParams.get("state"));
      const page = Number(searchParams.get("page"));
      // One to a page, with the address of the next.
      const next = page < found.length ? { next: "https://api.bitbucket.org/2.0/next" } : {};
      return [
        200,
        { page, values: found.slice(page - 1, page).map((pull) => asBitbucket(forge, pull)), ...next },
      ];
    }
    if (rest === "/pullrequests") {
      const branchOf = (end: unknown) => (end as { branch: { name: string } }).branch.name;
      const pull = open(
        forge,
        branchOf(body.source),
        branchOf(body.destination),
        body.title,
        body.description,
      );
      return [201, asBitbucket(forge, pull)];
    }
    const [, , id, action] = rest.split("/");
    const pull = forge.pulls[Number(id) - 1];
    if (pull === undefined) return [404, { type: "error", error: { message: "Pull request not found" } }];
    if (action === "merge") merge(forge, pull, body.merge_strategy);
    if (action === "decline") pull.state = "closed";
    return [200, asBitbucket(forge, pull)];
  },

  azure(forge, method, { pathname, searchParams }, body) {
    const rest = pathname.replace("/team/shop/_apis/git/repositories/repo/pullrequests", "");
    if (searchParams.get("api-version") === null) return [400, { message: "No api-version was supplied" }];
    if (rest === "" && method === "GET") {
      const criterion = (name: string) => searchParams.get(`searchCriteria.${name}`);
      const found = forge.pulls
        .map((pull) => asAzure(forge, pull))
        .filter(
          ({ status, sourceRefName, targetRefName }) =>
            status === criterion("status") &&
            sourceRefName === criterion("sourceRefName") &&
            targetRefName === criterion("targetRefName"),
        );
      return [200, { count: found.length, value: found }];
    }
    if (rest === "") {
      const branchOf = (ref: unknown) => String(ref).replace("refs/heads/", "");
      const { sourceRefName, targetRefName, title, description, labels } = body;
      const pull = open(forge, branchOf(sourceRefName), branchOf(targetRefName), title, description);
      pull.labels = (labels as { name: string }[]).map(({ name }) => name);
      return [201, asAzure(forge, pull)];
    }
    const pull = forge.pulls[Number(rest.slice(1)) - 1];
    if (pull === undefined) return [404, { typeKey: "GitPullRequestNotFoundException", message: "TF401180" }];
    if (method === "PATCH" && body.status === "abandoned") pull.state = "closed";
    if (method === "PATCH" && body.status === "completed") {
      const { mergeStrategy } = (body.completionOptions ?? {}) as Record<string, unknown>;
      merge(forge, pull, mergeStrategy);
    }
    return [200, asAzure(forge, pull)];
  },
};

/** GitHub's API of commits and refs. A commit without an author is the app's, and counts as verified. */
function gitData(
  forge: Forge,
  method: string,
  path: string,
  body: Record<string, unknown>,
): [status: number, body: unknown] {
  if (path === "commits") {
    const parents = (body.parents as string[]).flatMap((parent) => ["-p", parent]);
    const { name, email } = (body.author as { name: string; email: string }) ?? {
      name: "app[bot]",
      email: "app@x",
    };
    const as = ["-c", `user.name=${name}`, "-c", `user.email=${email}`];
    const sha = gitAsNobody(
      forge.bare,
      ...as,
      "commit-tree",
      String(body.tree),
      ...parents,
      "-m",
      String(body.message),
    );
    return [201, { sha }];
  }
  if (method === "POST") {
    git(forge.bare, "update-ref", String(body.ref), String(body.sha));
    return [201, {}];
  }
  if (method === "DELETE") {
    git(forge.bare, "update-ref", "-d", path);
    return [204, undefined];
  }
  const before = git(forge.bare, "rev-parse", path);
  const isForward = git(forge.bare, "merge-base", before, String(body.sha)) === before;
  if (!isForward && body.force !== true) return [422, { message: "Update is not a fast forward" }];
  git(forge.bare, "update-ref", path, String(body.sha));
  return [200, {}];
}

function open(forge: Forge, head: unknown, base: unknown, title: unknown, body: unknown): ForgePull {
  const pull: ForgePull = {
    id: forge.pulls.length + 1,
    head: String(head),
    base: String(base),
    title: String(title),
    body: String(body),
    labels: undefined,
    state: "open",
    draft: false,
    mergeable: true,
    method: undefined,
    mergeCommit: undefined,
  };
  forge.pulls.push(pull);
  return pull;
}

function merge(forge: Forge, pull: ForgePull, method: unknown): void {
  git(forge.bare, "update-ref", `refs/heads/${pull.base}`, `refs/heads/${pull.head}`);
  Object.assign(pull, { state: "merged", method, mergeCommit: git(forge.bare, "rev-parse", pull.base) });
}

const headOf = (forge: Forge, pull: ForgePull) => git(forge.bare, "rev-parse", pull.head);
const addressOf = (forge: Forge, pull: ForgePull) => `${forge.server.url}/team/repo/pulls/${pull.id}`;
const created = "2030-01-02T03:04:05Z";

function asGithub(forge: Forge, pull: ForgePull) {
  return {
    number: pull.id,
    html_url: addressOf(forge, pull),
    state: pull.state === "open" ? "open" : "closed",
    merged_at: pull.state === "merged" ? created : null,
    merge_commit_sha: pull.mergeCommit ?? null,
    created_at: created,
    draft: pull.draft,
    mergeable: pull.mergeable,
    mergeable_state: pull.draft ? "draft" : pull.mergeable ? "clean" : "unknown",
    head: { ref: pull.head, sha: headOf(forge, pull) },
    base: { ref: pull.base },
  };
}

function asGitlab(forge: Forge, pull: ForgePull) {
  return {
    iid: pull.id,
    web_url: addressOf(forge, pull),
    state: pull.state === "open" ? "opened" : pull.state,
    sha: headOf(forge, pull),
    merge_commit_sha: pull.mergeCommit ?? null,
    created_at: created,
    draft: pull.draft,
    detailed_merge_status: pull.mergeable ? "mergeable" : "ci_still_running",
  };
}

function asGitea(forge: Forge, pull: ForgePull) {
  return {
    number: pull.id,
    html_url: addressOf(forge, pull),
    state: pull.state === "open" ? "open" : "closed",
    merged: pull.state === "merged",
    merge_commit_sha: pull.mergeCommit ?? null,
    created_at: created,
    draft: pull.draft,
    mergeable: pull.mergeable,
    head: { ref: pull.head, sha: headOf(forge, pull) },
    base: { ref: pull.base, sha: git(forge.bare, "rev-parse", pull.base) },
  };
}

const bitbucketState = { open: "OPEN", merged: "MERGED", closed: "DECLINED" };

function asBitbucket(forge: Forge, pull: ForgePull) {
  const short = (hash: string) => ({ hash: hash.slice(0, 12), type: "commit" });
  return {
    type: "pullrequest",
    id: pull.id,
    title: pull.title,
    state: bitbucketState[pull.state],
    draft: pull.draft || !pull.mergeable,
    created_on: created,
    links: { html: { href: addressOf(forge, pull) } },
    merge_commit: pull.mergeCommit ? short(pull.mergeCommit) : null,
    source: { branch: { name: pull.head }, commit: short(headOf(forge, pull)) },
    destination: { branch: { name: pull.base } },
  };
}

function asAzure(forge: Forge, pull: ForgePull) {
  const status = { open: "active", merged: "completed", closed: "abandoned" }[pull.state];
  return {
    pullRequestId: pull.id,
    status,
    isDraft: pull.draft,
    creationDate: created,
    title: pull.title,
    sourceRefName: `refs/heads/${pull.head}`,
    targetRefName: `refs/heads/${pull.base}`,
    mergeStatus: pull.mergeable ? "succeeded" : "queued",
    lastMergeSourceCommit: { commitId: headOf(forge, pull) },
    ...(pull.mergeCommit ? { lastMergeCommit: { commitId: pull.mergeCommit } } : {}),
    repository: { id: "1", name: "repo", webUrl: `${forge.server.url}/team/shop/_git/repo` },
  };
}
