import { UserError } from "#core/failure.ts";
import { packageUrls } from "#server/webhooks/package-urls.ts";
import { list, part, readPayload, requireSecret, text } from "#server/webhooks/payload.ts";
import type { WebhookProvider } from "#server/webhooks/provider.ts";
import { refreshWarehouses } from "#server/webhooks/refresh.ts";

/** Harbor's default format; its CloudEvents are not understood. */
const Event = part({
  type: text,
  event_data: part({ resources: list(part({ tag: text, resource_url: text })) }),
});

/** Harbor, which sends the header that it was told to send. */
export const harbor: WebhookProvider = {
  type: "harbor",
  secretKey: "auth-header",
  async receive(request, services) {
    requireSecret(request, "Authorization");
    const { type, event_data } = readPayload(request, Event);
    if (type !== "PUSH_ARTIFACT") throw new UserError("unsupported event type");
    const { resources } = event_data;
    return refreshWarehouses(services, request.project, {
      // All resources of one event are of one repository.
      repoURLs: packageUrls(withoutTag(resources[0]), ""),
      qualifiers: resources.map(({ tag }) => tag),
    });
  },
};

/** Harbor writes the tag behind the repository, where it does not belong to the address. */
function withoutTag(resource: { tag: string; resource_url: string } | undefined): string {
  if (!resource) return "";
  const { tag, resource_url: url } = resource;
  return tag !== "" && url.endsWith(`:${tag}`) ? url.slice(0, -tag.length - 1) : url;
}
