import { UserError } from "#core/failure.ts";
import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";
import { part, readPayload, requireSignature, text } from "#server/webhooks/payload.ts";
import type { WebhookProvider } from "#server/webhooks/provider.ts";
import { refreshWarehouses } from "#server/webhooks/refresh.ts";

const Event = part({
  domain: text,
  event_type: text,
  jpd_origin: text,
  data: part({ path: text, repo_key: text, image_type: text, tag: text }),
});

/** JFrog Artifactory. */
export const artifactory: WebhookProvider = {
  type: "artifactory",
  secretKey: "secret-token",
  async receive(request, services) {
    requireSignature(request, "X-Jfrog-Event-Auth", "");
    const { domain, event_type, jpd_origin, data } = readPayload(request, Event);
    if (event_type !== "pushed" || domain !== "docker") {
      throw new UserError("event type must be 'pushed' and domain must be 'docker'", { status: 501 });
    }
    const normalize = normalizerFor(data.image_type);
    const repository = repositoryOf(jpd_origin, data, request.config.artifactory?.virtualRepoName);
    return refreshWarehouses(services, request.project, {
      repoURLs: [normalize(repository)],
      qualifiers: [data.tag],
    });
  },
};

function normalizerFor(imageType: string): (repoURL: string) => string {
  if (imageType === "docker") return normalizeImageUrl;
  if (imageType === "oci") return normalizeChartUrl;
  throw new UserError(`unsupported image type "${imageType}"`, { status: 501 });
}

/** The path names the repository, and behind it the tag and the manifest. */
function repositoryOf(
  origin: string,
  { path, repo_key }: { path: string; repo_key: string },
  virtualRepository: string | undefined,
): string {
  if (!URL.canParse(origin)) throw new UserError(`invalid value "${origin}" in payload's jpd_origin field`);
  const segments = path.split("/");
  if (segments.length < 2) throw new UserError(`invalid value "${path}" in payload's data.path field`);
  return [new URL(origin).host, virtualRepository || repo_key, ...segments.slice(0, -2)].join("/");
}
