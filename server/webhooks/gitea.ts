import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import {
  Commit,
  list,
  nothingToDo,
  part,
  readPayload,
  requireSignature,
  text,
} from "#server/webhooks/payload.ts";
import type { WebhookProvider } from "#server/webhooks/provider.ts";
import { refreshWaitingPromotions, refreshWarehouses } from "#server/webhooks/refresh.ts";

const PushEvent = part({
  ref: text,
  repository: part({ clone_url: text }),
  commits: list(Commit),
  total_commits: z.number().nullish(),
});
const PullRequestEvent = part({ action: text, pull_request: part({ html_url: text }) });

/** Gitea's repositories. */
export const gitea: WebhookProvider = {
  type: "gitea",
  secretKey: "secret",
  async receive(request, services) {
    const event = request.headers.get("X-Gitea-Event") ?? "";
    if (event !== "push" && event !== "pull_request") {
      throw new UserError(`event type ${event} is not supported`, { status: 501 });
    }
    requireSignature(request, "X-Hub-Signature-256", "sha256=");
    if (event === "pull_request") {
      const { action, pull_request } = readPayload(request, PullRequestEvent);
      if (action !== "closed") return nothingToDo();
      return refreshWaitingPromotions(services, request.project, pull_request.html_url);
    }
    const { ref, repository, commits, total_commits } = readPayload(request, PushEvent);
    return refreshWarehouses(services, request.project, {
      repoURLs: [normalizeGitUrl(repository.clone_url)],
      qualifiers: [ref],
      changedFiles: (total_commits ?? 0) > commits.length ? [] : commits.flat(),
    });
  },
};
