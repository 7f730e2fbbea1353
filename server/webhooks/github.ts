import { createHmac } from "node:crypto";
import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { sameSecret } from "#server/auth/tokens.ts";
import { packageUrls } from "#server/webhooks/package-urls.ts";
import type {
  WebhookAnswer,
  WebhookProvider,
  WebhookRequest,
  WebhookServices,
} from "#server/webhooks/provider.ts";
import { refreshWaitingPromotions, refreshWarehouses } from "#server/webhooks/refresh.ts";

/** From this many commits on GitHub leaves some out, and what changed is not known. */
const mostCommits = 2048;

const optionalText = z
  .string()
  .nullish()
  .transform((text) => text ?? "");
const paths = z
  .array(z.string())
  .nullish()
  .transform((list) => list ?? []);
const Commit = z.object({ added: paths, modified: paths, removed: paths });
const PushEvent = z.object({
  ref: optionalText,
  repository: z.object({ clone_url: optionalText, ssh_url: optionalText }),
  commits: z.array(Commit).nullish(),
  head_commit: Commit.nullish(),
});
const PullRequestEvent = z.object({
  action: optionalText,
  pull_request: z.object({ html_url: optionalText }).nullish(),
});
const Package = z.object({
  package_type: optionalText,
  package_version: z
    .object({
      package_url: optionalText,
      container_metadata: z
        .object({
          tag: z.object({ name: optionalText }).nullish(),
          manifest: z.object({ config: z.object({ media_type: optionalText }).nullish() }).nullish(),
        })
        .nullish(),
    })
    .nullish(),
});
const PackageEvent = z.object({
  action: optionalText,
  package: Package.nullish(),
  registry_package: Package.nullish(),
});

type Handler = (request: WebhookRequest, services: WebhookServices) => Promise<WebhookAnswer>;

const handlers: Record<string, Handler> = {
  ping: async () => done({ msg: "ping event received, webhook is configured correctly" }),
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
    if (!handle) throw new UserError(`event type ${event} is not supported`);
    requireSignature(request);
    return handle(request, services);
  },
};

/** GitHub signs the body with the secret. Only SHA-256 counts: its older signature is too weak. */
function requireSignature({ headers, body, secret }: WebhookRequest): void {
  const signature = headers.get("X-Hub-Signature-256");
  if (!signature) throw new UserError("missing signature", { status: 401 });
  const expected = `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;
  if (!sameSecret(signature, expected)) throw new UserError("unauthorized", { status: 401 });
}

async function receivePush(request: WebhookRequest, services: WebhookServices): Promise<WebhookAnswer> {
  const { ref, repository, commits, head_commit } = parse(request, PushEvent);
  const known = (commits?.length ?? 0) < mostCommits;
  const told = known ? [...(commits ?? []), ...(head_commit ? [head_commit] : [])] : [];
  return refreshWarehouses(services, request.project, {
    repoURLs: [repository.clone_url, repository.ssh_url].filter(Boolean).map(normalizeGitUrl),
    qualifier: ref,
    changedFiles: told.flatMap(({ added, modified, removed }) => [...added, ...modified, ...removed]),
  });
}

async function receivePullRequest(
  request: WebhookRequest,
  services: WebhookServices,
): Promise<WebhookAnswer> {
  const { action, pull_request } = parse(request, PullRequestEvent);
  const url = pull_request?.html_url;
  if (action !== "closed" || !url) return done({});
  return refreshWaitingPromotions(services, request.project, url);
}

async function receivePackage(request: WebhookRequest, services: WebhookServices): Promise<WebhookAnswer> {
  const event = parse(request, PackageEvent);
  if (event.action !== "published" && event.action !== "updated") return done({});
  const { package_type, package_version } = event.package ?? event.registry_package ?? {};
  if (!package_version) throw new UserError("invalid request body");
  if (package_type !== "CONTAINER" && package_type !== "docker") return done({});
  const { package_url, container_metadata } = package_version;
  return refreshWarehouses(services, request.project, {
    // Where there is no tag, GitHub leaves the colon in front of it all the same.
    repoURLs: packageUrls(
      package_url.replace(/:$/, ""),
      container_metadata?.manifest?.config?.media_type ?? "",
    ),
    qualifier: container_metadata?.tag?.name,
  });
}

function parse<T extends z.ZodType>({ body }: WebhookRequest, schema: T): z.output<T> {
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(body)));
  } catch (cause) {
    throw new UserError("invalid request body", { cause });
  }
}

function done(body: object): WebhookAnswer {
  return { status: 200, body };
}
