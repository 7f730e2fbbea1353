import { normalizeGitUrl } from "#core/git/git-url.ts";
import {
  list,
  part,
  readPayload,
  requireSignature,
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

const link = part({ href: text });

/** Bitbucket Cloud. `new` is null for what was deleted. */
const CloudPush = part({
  push: part({ changes: list(part({ new: part({ type: text, name: text }) })) }),
  repository: part({ links: part({ html: link }) }),
});
const CloudPullRequest = part({ pullrequest: part({ links: part({ html: link }) }) });
/** Bitbucket Data Center. */
const ServerPush = part({
  changes: list(part({ ref: part({ id: text }) })),
  repository: part({ links: part({ clone: list(link) }) }),
});
const ServerPullRequest = part({ pullRequest: part({ links: part({ self: list(link) }) }) });

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
    one.name ? [`refs/${one.type === "tag" ? "tags" : "heads"}/${one.name}`] : [],
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
