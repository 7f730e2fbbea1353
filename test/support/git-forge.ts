import { mkdirSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import path from "node:path";
import { bareRepository, commitTo, git, gitAsNobody } from "#test/support/git-fixture.ts";
import { type GitServer, serveOverHttp } from "#test/support/git-server.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

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

export type ForgeApi = "github" | "gitlab" | "gitea";

const token = "t0ken";

/** A host of one repository with the pull request API of GitHub, GitLab or Gitea, as they publish it. */
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
      if (!request.url?.startsWith("/api/")) return false;
      void answer(forge, api, request, response);
      return true;
    },
  });
  forge.repoURL = `${forge.server.url}/team/repo.git`;
  return forge;
}

export const forgeCredentials = { username: "robot", password: token };

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
  if (api === "gitlab") return headers["private-token"] === token;
  return headers.authorization === (api === "github" ? `Bearer ${token}` : `token ${token}`);
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
    return [200, asGitea(forge, pull)];
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
