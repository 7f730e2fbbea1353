import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import type { WebhookReceiverConfig } from "#core/resources/webhook-receiver.ts";
import { webhookProviders } from "#server/webhooks/receivers.ts";
import { createConfigReconcilers } from "#server/webhooks/reconcilers.ts";
import { project, promotion, secret, warehouse } from "#test/server/support/resources.ts";
import { startTestServer } from "#test/server/support/test-server.ts";

const shared = "it is between us";
const secretRef = { name: "hook" };
type Headers = Record<string, string>;

/** How each platform proves its requests, and what it sends when something new was pushed. */
interface Platform {
  type: Exclude<keyof WebhookReceiverConfig, "name">;
  config?: object;
  /** Headers of a request that has this body; absent where nothing but the address guards the receiver. */
  sign?: (body: string) => Headers;
  cases: Case[];
}

interface Case {
  what: string;
  headers?: Headers;
  body: unknown;
  /** The receiver's answer, where it is not that something was refreshed. */
  status?: number;
  /** Names of the warehouses below, or `promotion`. */
  refreshes: string[];
}

const hmac = (body: string) => createHmac("sha256", shared).update(body).digest("hex");
const gitURL = "https://git.example.com/example/app.git";
const pullRequest = "https://git.example.com/example/app/pulls/7";
const commits = [{ added: ["src/a"], modified: [], removed: [] }];

const platforms: Platform[] = [
  {
    type: "gitlab",
    sign: () => ({ "X-Gitlab-Token": shared }),
    cases: [
      {
        what: "a branch",
        headers: { "X-Gitlab-Event": "Push Hook" },
        body: {
          ref: "refs/heads/main",
          repository: { git_http_url: gitURL },
          commits,
          total_commits_count: 1,
        },
        refreshes: ["branch"],
      },
      {
        what: "a branch with files that do not count",
        headers: { "X-Gitlab-Event": "Push Hook" },
        body: {
          ref: "refs/heads/main",
          repository: { git_http_url: gitURL },
          commits: [{ added: ["docs/a"] }],
          total_commits_count: 1,
        },
        refreshes: [],
      },
      {
        what: "more commits than it tells of",
        headers: { "X-Gitlab-Event": "Push Hook" },
        body: {
          ref: "refs/heads/main",
          repository: { git_http_url: gitURL },
          commits: [{ added: ["docs/a"] }],
          total_commits_count: 30,
        },
        refreshes: ["branch"],
      },
      {
        what: "a tag",
        headers: { "X-Gitlab-Event": "Tag Push Hook" },
        body: { ref: "refs/tags/v1.2.3", repository: { git_http_url: gitURL } },
        refreshes: ["tags"],
      },
      {
        what: "a merged request",
        headers: { "X-Gitlab-Event": "Merge Request Hook" },
        body: { object_attributes: { action: "merge", url: pullRequest } },
        refreshes: ["promotion"],
      },
      {
        what: "an opened request",
        headers: { "X-Gitlab-Event": "Merge Request Hook" },
        body: { object_attributes: { action: "open", url: pullRequest } },
        refreshes: [],
      },
      {
        what: "another event",
        headers: { "X-Gitlab-Event": "Job Hook" },
        body: {},
        status: 400,
        refreshes: [],
      },
    ],
  },
  {
    type: "gitea",
    sign: (body) => ({ "X-Hub-Signature-256": `sha256=${hmac(body)}` }),
    cases: [
      {
        what: "a branch",
        headers: { "X-Gitea-Event": "push" },
        body: { ref: "refs/heads/main", repository: { clone_url: gitURL }, commits, total_commits: 1 },
        refreshes: ["branch"],
      },
      {
        what: "a closed pull request",
        headers: { "X-Gitea-Event": "pull_request" },
        body: { action: "closed", pull_request: { html_url: pullRequest } },
        refreshes: ["promotion"],
      },
      { what: "another event", headers: { "X-Gitea-Event": "issues" }, body: {}, status: 501, refreshes: [] },
    ],
  },
  {
    type: "bitbucket",
    sign: (body) => ({ "X-Hub-Signature": `sha256=${hmac(body)}` }),
    cases: [
      {
        what: "a branch in the cloud",
        headers: { "X-Event-Key": "repo:push" },
        body: {
          push: { changes: [{ new: null }, { new: { type: "branch", name: "main" } }] },
          repository: { links: { html: { href: "https://git.example.com/example/app" } } },
        },
        refreshes: ["branch"],
      },
      {
        what: "a tag in a data center",
        headers: { "X-Event-Key": "repo:refs_changed" },
        body: {
          changes: [{ ref: { id: "refs/tags/v1.2.3" } }],
          repository: { links: { clone: [{ href: "ssh://git@git.example.com/x" }, { href: gitURL }] } },
        },
        refreshes: ["tags"],
      },
      {
        what: "a merge in the cloud",
        headers: { "X-Event-Key": "pullrequest:fulfilled" },
        body: { pullrequest: { links: { html: { href: pullRequest } } } },
        refreshes: ["promotion"],
      },
      {
        what: "a merge in a data center",
        headers: { "X-Event-Key": "pr:merged" },
        body: { pullRequest: { links: { self: [{ href: pullRequest }] } } },
        refreshes: ["promotion"],
      },
      {
        what: "a merge of nothing",
        headers: { "X-Event-Key": "pr:merged" },
        body: { pullRequest: { links: { self: [] } } },
        refreshes: [],
      },
      { what: "a push that tells nothing", headers: { "X-Event-Key": "repo:push" }, body: {}, refreshes: [] },
      {
        what: "a pull request that tells nothing",
        headers: { "X-Event-Key": "pr:declined" },
        body: {},
        refreshes: [],
      },
      { what: "another event", headers: { "X-Event-Key": "toString" }, body: {}, status: 400, refreshes: [] },
    ],
  },
  {
    type: "dockerhub",
    cases: [
      {
        what: "an image",
        body: { push_data: { tag: "1.2.3" }, repository: { repo_name: "example/hubbed" } },
        refreshes: ["hubbed"],
      },
      {
        what: "an image that nobody wants",
        body: { push_data: { tag: "nightly" }, repository: { repo_name: "example/hubbed" } },
        refreshes: [],
      },
      { what: "a push that tells nothing", body: {}, refreshes: [] },
      { what: "a body that is no object", body: [], status: 400, refreshes: [] },
    ],
  },
  {
    type: "quay",
    cases: [
      {
        what: "an image under several tags",
        body: { docker_url: "registry.example.com/example/app", updated_tags: ["nightly", "1.2.3"] },
        refreshes: ["image"],
      },
    ],
  },
  {
    type: "harbor",
    sign: () => ({ Authorization: shared }),
    cases: [
      {
        what: "an image",
        body: {
          type: "PUSH_ARTIFACT",
          event_data: {
            resources: [{ tag: "1.2.3", resource_url: "registry.example.com/example/app:1.2.3" }],
          },
        },
        refreshes: ["image"],
      },
      { what: "another event", body: { type: "DELETE_ARTIFACT" }, status: 400, refreshes: [] },
    ],
  },
  {
    type: "artifactory",
    config: { virtualRepoName: "example" },
    sign: (body) => ({ "X-Jfrog-Event-Auth": hmac(body) }),
    cases: [
      {
        what: "an image",
        body: {
          domain: "docker",
          event_type: "pushed",
          jpd_origin: "https://registry.example.com",
          data: { path: "app/1.2.3/manifest.json", repo_key: "local", image_type: "docker", tag: "1.2.3" },
        },
        refreshes: ["image"],
      },
      {
        what: "another event",
        body: { domain: "docker", event_type: "deleted", jpd_origin: "https://x.example.com", data: {} },
        status: 501,
        refreshes: [],
      },
      {
        what: "another event that tells nothing else",
        body: { domain: "docker", event_type: "deleted" },
        status: 501,
        refreshes: [],
      },
      {
        what: "an artifact of another type, wherever it lies",
        body: { domain: "docker", event_type: "pushed", data: { path: "x", image_type: "npm" } },
        status: 501,
        refreshes: [],
      },
      {
        what: "an origin that is none",
        body: {
          domain: "docker",
          event_type: "pushed",
          jpd_origin: ":",
          data: { path: "a/b/c", image_type: "oci" },
        },
        status: 400,
        refreshes: [],
      },
    ],
  },
  {
    type: "azure",
    cases: [
      {
        what: "an image",
        headers: { "User-Agent": "AzureContainerRegistry/1.0" },
        body: {
          action: "push",
          target: { repository: "example/app", tag: "1.2.3" },
          request: { host: "registry.example.com" },
        },
        refreshes: ["image"],
      },
      {
        what: "a branch",
        headers: { "User-Agent": "VSServices/1.0" },
        body: {
          eventType: "git.push",
          resource: { refUpdates: [{ name: "refs/heads/main" }], repository: { remoteUrl: gitURL } },
        },
        refreshes: ["branch"],
      },
      {
        what: "an abandoned pull request",
        headers: { "User-Agent": "VSServices/1.0" },
        body: {
          eventType: "git.pullrequest.updated",
          resource: { status: "abandoned", _links: { web: { href: pullRequest } } },
        },
        refreshes: ["promotion"],
      },
      { what: "somebody else", headers: { "User-Agent": "curl/8" }, body: {}, status: 400, refreshes: [] },
    ],
  },
];

const git = (rest: object) => ({
  git: { repoURL: gitURL, commitSelectionStrategy: "NewestFromBranch", ...rest },
});
const image = (repoURL: string) => ({
  image: { repoURL, imageSelectionStrategy: "SemVer", strictSemvers: true },
});

async function startWith({ type, config = {} }: Platform) {
  const server = await startTestServer();
  const webhookReceivers = [{ name: "push", [type]: { secretRef, ...config } }];
  const secretKey = webhookProviders.find((provider) => provider.type === type)?.secretKey ?? "";
  const steps = [{ uses: "git-wait-for-pr", as: "wait" }];
  await server.put(
    project(),
    secret("hook", { [secretKey]: shared }),
    {
      apiVersion: "kargo.akuity.io/v1alpha1",
      kind: "ProjectConfig",
      metadata: { name: "shop", namespace: "shop" },
      spec: { webhookReceivers },
    },
    warehouse("branch", [git({ branch: "main", includePaths: ["src"] })]),
    warehouse("tags", [git({ commitSelectionStrategy: "SemVer" })]),
    warehouse("image", [image("registry.example.com/example/app")]),
    warehouse("hubbed", [image("example/hubbed")]),
    promotion(
      "promotion",
      { stage: "test", freight: "abc", steps },
      { phase: "Running", currentStep: 0, state: { wait: { pr: { url: pullRequest } } } },
    ),
  );
  const ref = { kind: "ProjectConfig", project: "shop", name: "shop" };
  await createConfigReconcilers(server.services)[0]?.reconcile(ref, new AbortController().signal);
  const { status } = (await server.store.get(ref)) as ProjectConfig;
  const path = status?.webhookReceivers?.[0]?.path ?? "";

  const send = (body: string, headers: Headers) =>
    server.app.request(path, { method: "POST", body, headers });
  const refreshed = async () => {
    const all = [
      ...(await server.store.list({ kind: "Warehouse" })),
      ...(await server.store.list({ kind: "Promotion" })),
    ];
    return all
      .filter(({ metadata }) => metadata.annotations?.["kargo.akuity.io/refresh"] !== undefined)
      .map(({ metadata }) => metadata.name);
  };
  return { server, send, refreshed };
}

describe.each(platforms)("webhooks of $type", (platform) => {
  const { cases, sign } = platform;

  it.each(cases)("tell of $what", async ({ headers = {}, body, status = 200, refreshes }) => {
    const { server, send, refreshed } = await startWith(platform);
    const text = JSON.stringify(body);
    const response = await send(text, { ...headers, ...sign?.(text) });
    expect(response.status).toBe(status);
    expect(await refreshed()).toEqual(refreshes);
    expect(server.errors).toEqual([]);
  });

  it("survive whatever they hold", async () => {
    const { server, send, refreshed } = await startWith(platform);
    const payload = fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...cases), payload, async ({ headers = {} }, body) => {
        const { status } = await send(body, { ...headers, ...sign?.(body) });
        expect([200, 400, 501]).toContain(status);
      }),
      { numRuns: 60 },
    );
    expect(server.errors).toEqual([]);
    expect(await refreshed()).toEqual([]);
  });
});

const proving = platforms.filter(({ sign }) => sign !== undefined);

describe.each(proving)("webhooks of $type that are not genuine", (platform) => {
  const { cases, sign = () => ({}) } = platform;
  const { headers = {}, body } = cases[0] as Case;
  const names = Object.keys(sign(""));

  it.each([
    { what: "nothing to prove them", proof: {} },
    { what: "a guess", proof: Object.fromEntries(names.map((name) => [name, "sha256=0"])) },
    { what: "an empty proof", proof: Object.fromEntries(names.map((name) => [name, ""])) },
  ])("do nothing, and are not even parsed: $what", async ({ proof }) => {
    const { send, refreshed } = await startWith(platform);
    expect((await send("{", { ...headers, ...proof })).status).toBe(401);
    expect((await send(JSON.stringify(body), { ...headers, ...proof })).status).toBe(401);
    expect(await refreshed()).toEqual([]);
  });
});

it.each([
  { type: "gitlab", says: {} },
  { type: "gitea", says: { error: "missing signature" } },
  { type: "harbor", says: { error: "missing authorization" } },
])("a stranger to $type is told as much as by Kargo", async ({ type, says }) => {
  const platform = platforms.find((one) => one.type === type) as Platform;
  const { send } = await startWith(platform);
  const response = await send("{}", platform.cases[0]?.headers ?? {});
  expect([response.status, await response.json()]).toEqual([401, says]);
});

const signing = proving.filter(({ sign }) => JSON.stringify(sign?.("a")) !== JSON.stringify(sign?.("b")));

it.each(signing)("a signature of $type is good for its own body alone", async (platform) => {
  const { send, refreshed } = await startWith(platform);
  const { headers = {}, body } = platform.cases[0] as Case;
  const response = await send(JSON.stringify(body), { ...headers, ...platform.sign?.("another body") });
  expect(response.status).toBe(401);
  expect(await refreshed()).toEqual([]);
});

it("there is a provider for every type of receiver that can be declared", async () => {
  const { WebhookReceiverConfig } = await import("#core/resources/webhook-receiver.ts");
  const types = Object.keys(WebhookReceiverConfig.shape).filter((field) => field !== "name");
  expect(webhookProviders.map(({ type }) => type).sort()).toEqual(types.sort());
});
