import { UserError } from "#core/failure.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { packageUrls } from "#server/webhooks/package-urls.ts";
import {
  list,
  nothingToDo,
  part,
  pong,
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

const RegistryEvent = part({
  action: text,
  target: part({ mediaType: text, repository: text, tag: text }),
  request: part({ host: text }),
});
const DevOpsEvent = part({
  eventType: text,
  resource: part({
    status: text,
    _links: part({ web: part({ href: text }) }),
    refUpdates: list(part({ name: text })),
    repository: part({ remoteUrl: text }),
  }),
});

/** Azure's registries and repositories, which sign nothing: what guards the receiver is its address. */
export const azure: WebhookProvider = {
  type: "azure",
  secretKey: "secret",
  async receive(request, services) {
    const agent = request.headers.get("User-Agent") ?? "";
    if (agent.startsWith("AzureContainerRegistry")) return receiveRegistryEvent(request, services);
    if (agent.startsWith("VSServices")) return receiveDevOpsEvent(request, services);
    throw new UserError("request does not appear to have originated from a supported service");
  },
};

async function receiveRegistryEvent(
  request: WebhookRequest,
  services: WebhookServices,
): Promise<WebhookAnswer> {
  const { action, target, request: sent } = readPayload(request, RegistryEvent);
  if (action === "ping") return pong();
  if (action !== "push") throw unsupportedEvent(action);
  return refreshWarehouses(services, request.project, {
    repoURLs: target.repository ? packageUrls(`${sent.host}/${target.repository}`, target.mediaType) : [],
    qualifiers: [target.tag],
  });
}

async function receiveDevOpsEvent(
  request: WebhookRequest,
  services: WebhookServices,
): Promise<WebhookAnswer> {
  const { eventType, resource } = readPayload(request, DevOpsEvent);
  const pullRequest = resource._links.web.href;
  switch (eventType) {
    case "git.push":
      return refreshWarehouses(services, request.project, {
        repoURLs: [normalizeGitUrl(resource.repository.remoteUrl)],
        qualifiers: resource.refUpdates.map(({ name }) => name),
      });
    case "git.pullrequest.merged":
      return refreshWaitingPromotions(services, request.project, pullRequest);
    case "git.pullrequest.updated":
      return resource.status === "abandoned"
        ? refreshWaitingPromotions(services, request.project, pullRequest)
        : nothingToDo();
    default:
      throw unsupportedEvent(eventType);
  }
}
