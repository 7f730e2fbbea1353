import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { packageUrls } from "#server/webhooks/package-urls.ts";
import {
  Commit,
  list,
  nothingToDo,
  part,
  pong,
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

/** From this many commits on GitHub leaves some out, and what changed is not known. */
const mostCommits = 2048;

const PushEvent = part({
  ref: text,
  repository: part({ clone_url: text, ssh_url: text }),
  commits: list(Commit),
  head_commit: Commit.nullish(),
});
const PullRequestEvent = part({ action: text, pull_request: part({ html_url: text }) });
const Package = z.object({
  package_type: text,
  package_version: z
    .object({
      package_url: text,
      container_metadata: part({
        tag: part({ name: text }),
        manifest: part({ config: part({ media_type: text }) }),
      }),
    })
    .nullish(),
});
const PackageEvent = part({
  action: text,
  package: Package.nullish(),
  registry_package: Package.nullish(),
});

type Handler = (request: WebhookRequest, services: WebhookServices) => Promise<WebhookAnswer>;

const handlers: Record<string, Handler> = {
  ping: async () => pong(),
  push: receivePush,
  pull_request: receivePullRequest,
  package: receivePackage,
  // The same for a webhook that a GitHub App brought into the repository.
  registry_package: receivePackage,
};

/** GitHub's repositories and its registry, ghcr.io. */
export const github: WebhookProvider = {
  type: "github",
  secretKey: "secret",
  async receive(request, services) {
    const event = request.headers.get("X-GitHub-Event") ?? "";
    const handle = Object.hasOwn(handlers, event) ? handlers[event] : undefined;
    if (!handle) throw unsupportedEvent(event);
    // Its older signature, by SHA-1, is too weak to count.
    requireSignature(request, "X-Hub-Signature-256", "sha256=");
    return handle(request, services);
  },
};

async function receivePush(request: WebhookRequest, services: WebhookServices): Promise<WebhookAnswer> {
  const { ref, repository, commits, head_commit } = readPayload(request, PushEvent);
  return refreshWarehouses(services, request.project, {
    repoURLs: [repository.clone_url, repository.ssh_url].filter(Boolean).map(normalizeGitUrl),
    qualifiers: [ref],
    changedFiles: commits.length < mostCommits ? [...commits.flat(), ...(head_commit ?? [])] : [],
  });
}

async function receivePullRequest(
  request: WebhookRequest,
  services: WebhookServices,
): Promise<WebhookAnswer> {
  const { action, pull_request } = readPayload(request, PullRequestEvent);
  if (action !== "closed") return nothingToDo();
  return refreshWaitingPromotions(services, request.project, pull_request.html_url);
}

async function receivePackage(request: WebhookRequest, services: WebhookServices): Promise<WebhookAnswer> {
  const event = readPayload(request, PackageEvent);
  if (event.action !== "published" && event.action !== "updated") return nothingToDo();
  const { package_type, package_version } = event.package ?? event.registry_package ?? {};
  if (!package_version) throw new UserError("invalid request body");
  if (package_type !== "CONTAINER" && package_type !== "docker") return nothingToDo();
  const { package_url, container_metadata } = package_version;
  return refreshWarehouses(services, request.project, {
    // Where there is no tag, GitHub leaves the colon in front of it all the same.
    repoURLs: packageUrls(package_url.replace(/:$/, ""), container_metadata.manifest.config.media_type),
    qualifiers: [container_metadata.tag.name],
  });
}
