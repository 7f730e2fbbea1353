import { z } from "zod";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { list, readPayload, requireSignature, text, unsupportedEvent } from "#server/webhooks/payload.ts";
import type {
  WebhookAnswer,
  WebhookProvider,
  WebhookRequest,
  WebhookServices,
} from "#server/webhooks/provider.ts";
import { refreshWaitingPromotions, refreshWarehouses } from "#server/webhooks/refresh.ts";

const link = z.object({ href: text });

/** Bitbucket Cloud. `new` is null for what was deleted. */
const CloudPush = z.object({
  push: z.object({ changes: list(z.object({ new: z.object({ type: text, name: text }).nullish() })) }),
  repository: z.object({ links: z.object({ html: link }) }),
});
const CloudPullRequest = z.object({ pullrequest: z.object({ links: z.object({ html: link }) }) });
/** Bitbucket Data Center. */
const ServerPush = z.object({
  changes: list(z.object({ ref: z.object({ id: text }) })),
  repository: z.object({ links: z.object({ clone: list(link) }) }),
});
const ServerPullRequest = z.object({ pullRequest: z.object({ links: z.object({ self: list(link) }) }) });

type Handler = (request: WebhookRequest, services: WebhookServices) => Promise<WebhookAnswer>;

const handlers: Record<string, Handler> = {
  "repo:push": receiveCloudPush,
  "repo:refs_changed": receiveServerPush,
  "pullrequest:fulfilled": receiveCloudPullRequest,
  "pullrequest:rejected": receiveCloudPullRequest,
  "pr:merged": receiveServerPullRequest,
  "pr:declined": receiveServerPullRequest,
};

/** Bitbucket's repositories, in the cloud and in a data center. */
export const bitbucket: WebhookProvider = {
  type: "bitbucket",
  secretKey: "secret",
  async receive(request, services) {
    const event = request.headers.get("X-Event-Key") ?? "";
    const handle = Object.hasOwn(handlers, event) ? handlers[event] : undefined;
    if (!handle) throw unsupportedEvent(event);
    requireSignature(request, "X-Hub-Signature", "sha256=");
    return handle(request, services);
  },
};

async function receiveCloudPush(request: WebhookRequest, services: WebhookServices): Promise<WebhookAnswer> {
  const { push, repository } = readPayload(request, CloudPush);
  const refs = push.changes.flatMap(({ new: one }) =>
    one?.name ? [`refs/${one.type === "tag" ? "tags" : "heads"}/${one.name}`] : [],
  );
  return refreshWarehouses(services, request.project, {
    repoURLs: [normalizeGitUrl(repository.links.html.href)],
    qualifiers: refs,
  });
}

async function receiveServerPush(request: WebhookRequest, services: WebhookServices): Promise<WebhookAnswer> {
  const { changes, repository } = readPayload(request, ServerPush);
  return refreshWarehouses(services, request.project, {
    repoURLs: repository.links.clone.map(({ href }) => normalizeGitUrl(href)),
    qualifiers: changes.map(({ ref }) => ref.id),
  });
}

async function receiveCloudPullRequest(
  request: WebhookRequest,
  services: WebhookServices,
): Promise<WebhookAnswer> {
  const { pullrequest } = readPayload(request, CloudPullRequest);
  return refreshWaitingPromotions(services, request.project, pullrequest.links.html.href);
}

async function receiveServerPullRequest(
  request: WebhookRequest,
  services: WebhookServices,
): Promise<WebhookAnswer> {
  const { pullRequest } = readPayload(request, ServerPullRequest);
  return refreshWaitingPromotions(services, request.project, pullRequest.links.self[0]?.href ?? "");
}
