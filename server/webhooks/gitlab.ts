import { z } from "zod";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import {
  Commit,
  list,
  nothingToDo,
  readPayload,
  requireSecret,
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

const PushEvent = z.object({
  ref: text,
  repository: z.object({ git_http_url: text, git_ssh_url: text }).nullish(),
  commits: list(Commit),
  total_commits_count: z.number().nullish(),
});
const MergeRequestEvent = z.object({
  object_attributes: z.object({ action: text, url: text }).nullish(),
});

/** GitLab's repositories. */
export const gitlab: WebhookProvider = {
  type: "gitlab",
  secretKey: "secret-token",
  async receive(request, services) {
    requireSecret(request, "X-Gitlab-Token");
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
  const urls = [repository?.git_http_url ?? "", repository?.git_ssh_url ?? ""];
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
  const { action, url } = readPayload(request, MergeRequestEvent).object_attributes ?? {};
  if ((action !== "merge" && action !== "close") || !url) return nothingToDo();
  return refreshWaitingPromotions(services, request.project, url);
}
