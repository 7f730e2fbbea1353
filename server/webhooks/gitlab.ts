import { z } from "zod";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { sameSecret } from "#server/auth/tokens.ts";
import {
  Commit,
  list,
  nothingToDo,
  part,
  readPayload,
  text,
  unsupportedEvent,
} from "#server/webhooks/payload.ts";
import type {
  WebhookAnswer,
  WebhookProvider,
  WebhookRequest,
  WebhookServices,
} from "#server/webhooks/provider.ts";
import { refreshWaitingPromotions, refreshWarehouses } from "#server/webhooks/refresh.ts";

const PushEvent = part({
  ref: text,
  repository: part({ git_http_url: text, git_ssh_url: text }),
  commits: list(Commit),
  total_commits_count: z.number().nullish(),
});
const MergeRequestEvent = part({ object_attributes: part({ action: text, url: text }) });

/** GitLab's repositories. */
export const gitlab: WebhookProvider = {
  type: "gitlab",
  secretKey: "secret-token",
  async receive(request, services) {
    const token = request.headers.get("X-Gitlab-Token") ?? "";
    // Kargo tells a stranger nothing here, and nor do we.
    if (!sameSecret(token, request.secret)) return { status: 401, body: {} };
    const event = request.headers.get("X-Gitlab-Event") ?? "";
    switch (event) {
      case "Push Hook":
      case "Tag Push Hook":
        return receivePush(request, services, event === "Tag Push Hook");
      case "Merge Request Hook":
        return receiveMergeRequest(request, services);
      default:
        throw unsupportedEvent(event);
    }
  },
};

async function receivePush(
  request: WebhookRequest,
  services: WebhookServices,
  isTag: boolean,
): Promise<WebhookAnswer> {
  const { ref, repository, commits, total_commits_count } = readPayload(request, PushEvent);
  // GitLab tells of twenty commits at most; a tag changes no files.
  const knowsAll = !isTag && (total_commits_count ?? 0) <= commits.length;
  const urls = [repository.git_http_url, repository.git_ssh_url];
  return refreshWarehouses(services, request.project, {
    repoURLs: urls.filter(Boolean).map(normalizeGitUrl),
    qualifiers: [ref],
    changedFiles: knowsAll ? commits.flat() : [],
  });
}

async function receiveMergeRequest(
  request: WebhookRequest,
  services: WebhookServices,
): Promise<WebhookAnswer> {
  const { action, url } = readPayload(request, MergeRequestEvent).object_attributes;
  if (action !== "merge" && action !== "close") return nothingToDo();
  return refreshWaitingPromotions(services, request.project, url);
}
