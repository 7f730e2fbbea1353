import { z } from "zod";
import { packageUrls } from "#server/webhooks/package-urls.ts";
import { list, part, readPayload, text } from "#server/webhooks/payload.ts";
import type { WebhookProvider } from "#server/webhooks/provider.ts";
import { refreshWarehouses } from "#server/webhooks/refresh.ts";

const PushEvent = part({ docker_url: text, updated_tags: list(z.string()) });

/** Quay, which signs nothing: what guards the receiver is its address. */
export const quay: WebhookProvider = {
  type: "quay",
  secretKey: "secret",
  async receive(request, services) {
    const { docker_url, updated_tags } = readPayload(request, PushEvent);
    return refreshWarehouses(services, request.project, {
      repoURLs: packageUrls(docker_url, ""),
      qualifiers: updated_tags,
    });
  },
};
