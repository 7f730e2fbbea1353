import { packageUrls } from "#server/webhooks/package-urls.ts";
import { part, readPayload, text } from "#server/webhooks/payload.ts";
import type { WebhookProvider } from "#server/webhooks/provider.ts";
import { refreshWarehouses } from "#server/webhooks/refresh.ts";

const PushEvent = part({
  push_data: part({ media_type: text, tag: text }),
  repository: part({ repo_name: text }),
});

/** Docker Hub, which signs nothing: what guards the receiver is its address. */
export const dockerhub: WebhookProvider = {
  type: "dockerhub",
  secretKey: "secret",
  async receive(request, services) {
    const { push_data, repository } = readPayload(request, PushEvent);
    return refreshWarehouses(services, request.project, {
      repoURLs: packageUrls(repository.repo_name, push_data.media_type),
      qualifiers: [push_data.tag],
    });
  },
};
