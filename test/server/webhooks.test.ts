import { createHash, createHmac } from "node:crypto";
import { type OutgoingHttpHeaders, request } from "node:http";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createExpressions } from "#core/expressions/expressions.ts";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { WebhookReceiverConfig } from "#core/resources/webhook-receiver.ts";
import { createConfigReconcilers } from "#server/webhooks/reconcilers.ts";
import { listen } from "#test/server/support/listen.ts";
import { project, promotion, secret, warehouse } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer } from "#test/server/support/test-server.ts";

const repoURL = "https://github.com/example/app.git";
const git = (rest: object = {}) => ({
  git: { repoURL, commitSelectionStrategy: "NewestFromBranch", ...rest },
});
const hubSecret = "it is between us";

/** A server with one receiver in a project, and where it listens. */
async function startWithReceiver(
  receiver: Omit<WebhookReceiverConfig, "name">,
  ...resources: Resource[]
): Promise<{ server: TestServer; path: string }> {
  const expressions = await createExpressions();
  onTestFinished(() => expressions.dispose());
  const server = await startTestServer({ expressions });
  await server.put(project(), secret("hook", { secret: hubSecret }), config([{ name: "push", ...receiver }]));
  await server.put(...resources);
  return { server, path: (await reconcile(server))[0]?.path ?? "" };
}

function config(webhookReceivers: WebhookReceiverConfig[]): Resource {
  const metadata = { name: "shop", namespace: "shop" };
  return {
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "ProjectConfig",
    metadata,
    spec: { webhookReceivers },
  };
}

async function reconcile({ store, services }: TestServer) {
  const [projects] = createConfigReconcilers({ ...services, store });
  const ref = { kind: "ProjectConfig", project: "shop", name: "shop" };
  await projects?.reconcile(ref, new AbortController().signal);
  return ((await store.get(ref)) as ProjectConfig).status?.webhookReceivers ?? [];
}

function post(server: TestServer, path: string, body: string, headers: Record<string, string>) {
  return server.app.request(path, { method: "POST", body, headers });
}

function fromGitHub(server: TestServer, path: string, event: string, payload: unknown, signature?: string) {
  const body = typeof payload === "string" ? payload : JSON.stringify(payload);
  const signed = `sha256=${createHmac("sha256", hubSecret).update(body).digest("hex")}`;
  return post(server, path, body, { "X-GitHub-Event": event, "X-Hub-Signature-256": signature ?? signed });
}

async function refreshed({ store }: TestServer, kind = "Warehouse"): Promise<string[]> {
  const all = await store.list({ kind });
  return all
    .filter(({ metadata }) => metadata.annotations?.["kargo.akuity.io/refresh"] !== undefined)
    .map(({ metadata }) => metadata.name);
}

const github = { github: { secretRef: { name: "hook" } } };
const push = (rest: object = {}) => ({
  ref: "refs/heads/main",
  repository: { clone_url: repoURL, ssh_url: "git@github.com:example/app.git" },
  ...rest,
});

describe("where receivers listen", () => {
  it("is announced in the status, by Kargo's rule", async () => {
    const { server } = await startWithReceiver(github);
    const id = createHash("sha256").update(`shoppush${hubSecret}`).digest("hex");
    expect(await reconcile(server)).toEqual([
      {
        name: "push",
        path: `/webhook/github/${id}`,
        url: `https://towpath.example.com/webhook/github/${id}`,
      },
    ]);
  });

  it("changes with the secret, and the old address is dead at once", async () => {
    const { server, path } = await startWithReceiver(github, warehouse("app", [git()]));
    const [before] = await server.store.list({ kind: "Secret", project: "shop" });
    const data = { secret: Buffer.from("another").toString("base64") };
    await server.store.write([{ op: "update", resource: { ...before, data } as Resource }]);
    expect((await fromGitHub(server, path, "push", push())).status).toBe(404);
    expect((await reconcile(server))[0]?.path).not.toBe(path);
  });

  it.each([
    {
      what: "no Secret",
      receiver: { github: { secretRef: { name: "none" } } },
      says: 'Secret "none" not found',
    },
    { what: "no type", receiver: {}, says: "none of the types" },
  ])(
    "says what is wrong with a receiver with $what, and announces the others",
    async ({ receiver, says }) => {
      const { server } = await startWithReceiver(github);
      const found = (await server.store.list({ kind: "ProjectConfig" }))[0] as ProjectConfig;
      found.spec?.webhookReceivers?.push({ name: "bad", ...receiver });
      await server.store.write([{ op: "update", resource: found as Resource }]);
      expect((await reconcile(server)).map(({ name }) => name)).toEqual(["push"]);
      const { status } = (await server.store.list({ kind: "ProjectConfig" }))[0] as ProjectConfig;
      expect(status?.conditions).toMatchObject([{ type: "Ready", status: "False" }]);
      expect(status?.conditions?.[0]?.message).toContain(says);
    },
  );

  it("is nowhere else", async () => {
    const { server, path } = await startWithReceiver(github);
    for (const wrong of [
      `${path}0`,
      path.replace("github", "generic"),
      "/webhook/github/x",
      "/webhook/nobody/x",
    ]) {
      const response = await fromGitHub(server, wrong, "push", push());
      expect([response.status, await response.json()], wrong).toEqual([404, {}]);
    }
  });
});

describe("GitHub's webhooks", () => {
  it.each([
    { what: "the branch it follows", subscription: git({ branch: "main" }), refreshes: true },
    { what: "another branch", subscription: git({ branch: "release" }), refreshes: false },
    {
      what: "another repository",
      subscription: { git: { repoURL: "https://github.com/other/app" } },
      refreshes: false,
    },
    {
      what: "the same over SSH",
      subscription: git({ repoURL: "git@github.com:example/app.git" }),
      refreshes: true,
    },
    {
      what: "files that it looks at",
      subscription: git({ includePaths: ["src"] }),
      payload: { commits: [{ added: ["src/a.ts"], modified: [], removed: [] }] },
      refreshes: true,
    },
    {
      what: "files that it does not look at",
      subscription: git({ includePaths: ["src"] }),
      payload: { commits: [{ added: ["docs/a.md"], modified: null }] },
      refreshes: false,
    },
    {
      what: "a tag within its range",
      subscription: git({ commitSelectionStrategy: "SemVer", semverConstraint: "^1.0.0" }),
      payload: { ref: "refs/tags/v1.2.3" },
      refreshes: true,
    },
    {
      what: "a tag outside its range",
      subscription: git({ commitSelectionStrategy: "SemVer", semverConstraint: "^1.0.0" }),
      payload: { ref: "refs/tags/v2.0.0" },
      refreshes: false,
    },
  ])("a push concerns a warehouse or not: $what", async ({ subscription, payload, refreshes }) => {
    const { server, path } = await startWithReceiver(github, warehouse("app", [subscription]));
    const response = await fromGitHub(server, path, "push", push(payload));
    expect(await response.json()).toEqual({ msg: `refreshed ${refreshes ? 1 : 0} warehouse(s)` });
    expect(await refreshed(server)).toEqual(refreshes ? ["app"] : []);
  });

  it("leaves other projects alone", async () => {
    const other = warehouse("other", [git()]);
    other.metadata.namespace = "other";
    const { server, path } = await startWithReceiver(github, project("other"), other);
    await fromGitHub(server, path, "push", push());
    expect(await refreshed(server)).toEqual([]);
  });

  it("an image that was pushed to its registry concerns those who follow its tag", async () => {
    const image = {
      image: { repoURL: "ghcr.io/example/app", imageSelectionStrategy: "SemVer", strictSemvers: true },
    };
    const { server, path } = await startWithReceiver(github, warehouse("app", [image]));
    const pushed = (tag: string) => ({
      action: "published",
      registry_package: {
        package_type: "CONTAINER",
        package_version: {
          package_url: "ghcr.io/example/app:",
          container_metadata: { tag: { name: tag }, manifest: { config: null } },
        },
      },
    });
    await fromGitHub(server, path, "registry_package", pushed("latest"));
    expect(await refreshed(server)).toEqual([]);
    await fromGitHub(server, path, "registry_package", pushed("1.2.3"));
    expect(await refreshed(server)).toEqual(["app"]);
  });

  it("a pull request that was closed wakes the promotion that waits for it", async () => {
    const url = "https://github.com/example/app/pull/7";
    const spec = { stage: "test", freight: "abc", steps: [{ uses: "git-wait-for-pr", as: "wait" }] };
    const status = { phase: "Running", currentStep: 0, state: { wait: { pr: { url } } } };
    const { server, path } = await startWithReceiver(
      github,
      promotion("waits", spec, status),
      promotion("is-over", spec, { ...status, phase: "Succeeded" }),
    );
    await fromGitHub(server, path, "pull_request", { action: "opened", pull_request: { html_url: url } });
    expect(await refreshed(server, "Promotion")).toEqual([]);
    await fromGitHub(server, path, "pull_request", { action: "closed", pull_request: { html_url: url } });
    expect(await refreshed(server, "Promotion")).toEqual(["waits"]);
  });

  it("answers its ping", async () => {
    const { server, path } = await startWithReceiver(github);
    expect((await fromGitHub(server, path, "ping", {})).status).toBe(200);
  });

  it.each([
    { what: "no signature", signature: "", status: 401 },
    { what: "a signature of something else", signature: `sha256=${"0".repeat(64)}`, status: 401 },
    {
      what: "an older, weaker signature",
      signature: `sha1=${createHmac("sha1", hubSecret).update("{").digest("hex")}`,
      status: 401,
    },
  ])("does nothing for $what, and does not even parse it", async ({ signature, status }) => {
    const { server, path } = await startWithReceiver(github, warehouse("app", [git()]));
    const response = await fromGitHub(server, path, "push", "{", signature);
    expect(response.status).toBe(status);
    expect(await refreshed(server)).toEqual([]);
  });

  it("does nothing for events that it does not know", async () => {
    const { server, path } = await startWithReceiver(github);
    expect((await fromGitHub(server, path, "constructor", {})).status).toBe(400);
  });

  it("survives whatever is signed", async () => {
    const { server, path } = await startWithReceiver(github, warehouse("app", [git()]));
    const events = fc.constantFrom("push", "pull_request", "package", "registry_package", "ping");
    const payload = fc.oneof(
      fc.jsonValue().map((value) => JSON.stringify(value)),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(events, payload, async (event, body) => {
        const { status } = await fromGitHub(server, path, event, body);
        expect([200, 400]).toContain(status);
      }),
      { numRuns: 200 },
    );
    expect(server.errors).toEqual([]);
    expect(await refreshed(server)).toEqual([]);
  });
});

it("a webhook whose warehouses cannot be written to is told how many, and leaves no other out", async () => {
  const { server, path } = await startWithReceiver(github, warehouse("a", [git()]), warehouse("b", [git()]));
  vi.spyOn(server.store, "write").mockRejectedValueOnce(new Error("the disk is full"));
  const response = await fromGitHub(server, path, "push", push());
  expect([response.status, await response.json()]).toEqual([
    500,
    { error: "failed to refresh 1 of 2 warehouses" },
  ]);
  expect(await refreshed(server)).toHaveLength(1);
  expect(server.errors).toHaveLength(1);
});

describe("the size of a webhook", () => {
  const limits = { webhookBytes: 1000 };

  it.each([
    { what: "a length that is too much", headers: { "Content-Length": "2000" }, bytes: 2000 },
    { what: "a length that is a hundred megabytes", headers: { "Content-Length": "100000000" }, bytes: 10 },
    { what: "chunks without a length", headers: { "Transfer-Encoding": "chunked" }, bytes: 200_000 },
  ])("is refused with 413: $what", async ({ headers, bytes }) => {
    const { server, path } = await startWithReceiver(github);
    const small = await startTestServer({ limits, store: server.store });
    const url = `${await listen(small.app)}${path}`;
    const status = await rawPost(url, headers, "x".repeat(bytes));
    expect(status).toBe(413);
    const response = await post(small, path, "x".repeat(2000), {});
    expect(await response.json()).toEqual({ error: "content exceeds limit of 1000 bytes" });
  });

  it("is not even asked about where nobody listens", async () => {
    const server = await startTestServer({ limits });
    const url = `${await listen(server.app)}/webhook/github/nobody`;
    expect(await rawPost(url, { "Content-Length": "100000000" }, "x")).toBe(404);
  });
});

describe("generic webhooks", () => {
  const generic = (...actions: object[]) =>
    ({ generic: { secretRef: { name: "hook" }, actions } }) as Omit<WebhookReceiverConfig, "name">;
  const target = (rest: object = {}) => ({ kind: "Warehouse", ...rest });
  const labelled = warehouse("labelled", [git()]);
  labelled.metadata.labels = { team: "web" };

  it.each([
    { what: "by name", target: target({ name: "app" }), selects: ["app"] },
    {
      what: "by a name from the body",
      target: target({ name: "${{ request.body.app }}" }),
      selects: ["app"],
    },
    {
      what: "by a name from a header",
      target: target({ name: "${{ request.header('X-App') }}" }),
      selects: ["app"],
    },
    {
      what: "by a name from the query",
      target: target({ name: "${{ request.params('app') }}" }),
      selects: ["app"],
    },
    { what: "by a parameter", target: target({ name: "${{ params.wanted }}" }), selects: ["app"] },
    { what: "all", target: target(), selects: ["app", "labelled", "other"] },
    {
      what: "by labels",
      target: target({ labelSelector: { matchLabels: { team: "web" } } }),
      selects: ["labelled"],
    },
    {
      what: "by label expressions",
      target: target({ labelSelector: { matchExpressions: [{ key: "team", operator: "DoesNotExist" }] } }),
      selects: ["app", "other"],
    },
    {
      what: "by what they subscribe to",
      target: target({
        indexSelector: {
          matchIndices: [
            { key: "subscribedURLs", operator: "Equals", value: "${{ normalizeGit(request.body.repo) }}" },
          ],
        },
      }),
      selects: ["app", "labelled"],
    },
    {
      what: "nothing of a name that is data, not code",
      target: target({ name: "${{ request.body.code }}" }),
      selects: [],
    },
  ])("select $what", async ({ target, selects }) => {
    const action = { action: "Refresh", parameters: { wanted: "app" }, targetSelectionCriteria: [target] };
    const { server, path } = await startWithReceiver(
      generic(action),
      warehouse("app", [git()]),
      warehouse("other", [{ git: { repoURL: "https://example.com/other" } }]),
      labelled,
    );
    const body = JSON.stringify({ app: "app", repo: "https://GitHub.com/example/app", code: "${{ 'app' }}" });
    const response = await post(server, `${path}?app=app`, body, { "X-App": "app" });
    expect(response.status).toBe(200);
    expect((await refreshed(server)).sort()).toEqual(selects);
  });

  it.each([
    { what: "an index that Warehouses lack", kind: "Warehouse", key: "pullRequestURL" },
    { what: "an index that is not of targets", kind: "Warehouse", key: "receiverPaths" },
    { what: "an index that Promotions lack", kind: "Promotion", key: "subscribedURLs" },
    { what: "a label that is in no list", operator: "NotIn", values: [] },
    { what: "a label that exists with values", operator: "Exists", values: ["web"] },
  ])("refresh nothing by $what", async ({ kind = "Warehouse", key, operator = "NotEquals", values }) => {
    const criteria = key
      ? { indexSelector: { matchIndices: [{ key, operator, value: "x" }] } }
      : { labelSelector: { matchExpressions: [{ key: "team", operator, values }] } };
    const action = { action: "Refresh", targetSelectionCriteria: [{ kind, ...criteria }] };
    const { server, path } = await startWithReceiver(generic(action), warehouse("app", [git()]), labelled);
    const response = await post(server, path, "", {});
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({
      results: [{ result: "Error", summary: "Error evaluating targetSelectionCriteria" }],
    });
    expect(await refreshed(server)).toEqual([]);
  });

  it("select the promotions that wait for a pull request", async () => {
    const url = "https://git.example.com/example/app/pulls/7";
    const waiting = (name: string, phase: string, awaited: string) =>
      promotion(
        name,
        { stage: "test", freight: "f", steps: [{ uses: "git-wait-for-pr", as: "wait" }] },
        { phase, currentStep: 0, state: { wait: { pr: { url: awaited } } } },
      );
    const value = "${{ request.body.pull }}";
    const indexSelector = { matchIndices: [{ key: "pullRequestURL", operator: "Equals", value }] };
    const { server, path } = await startWithReceiver(
      generic({ action: "Refresh", targetSelectionCriteria: [{ kind: "Promotion", indexSelector }] }),
      waiting("this", "Running", url),
      waiting("another", "Running", `${url}1`),
      waiting("done", "Succeeded", url),
    );
    expect((await post(server, path, JSON.stringify({ pull: url }), {})).status).toBe(200);
    expect(await refreshed(server, "Promotion")).toEqual(["this"]);
  });

  it.each([
    { when: "request.header('X-Event') == 'push'", result: "Success", status: 200 },
    { when: "request.body.event == 'other'", result: "NotApplicable", status: 200 },
    { when: "request.body.event", result: "Error", status: 500 },
    { when: "1 +", result: "Error", status: 500 },
  ])("act when $when: $result", async ({ when, result, status }) => {
    const action = {
      action: "Refresh",
      whenExpression: when,
      targetSelectionCriteria: [target({ name: "app" })],
    };
    const { server, path } = await startWithReceiver(generic(action), warehouse("app", [git()]));
    const response = await post(server, path, JSON.stringify({ event: "push" }), { "X-Event": "push" });
    expect(response.status).toBe(status);
    const { results } = (await response.json()) as { results: object[] };
    expect(results).toMatchObject([{ ...action, result, matchedWhenExpression: result === "Success" }]);
    expect(await refreshed(server)).toEqual(result === "Success" ? ["app"] : []);
  });

  it("tell what they did", async () => {
    const action = { action: "Refresh", targetSelectionCriteria: [target({ name: "app" })] };
    const { server, path } = await startWithReceiver(generic(action), warehouse("app", [git()]));
    const response = await post(server, path, "", {});
    expect(await response.json()).toEqual({
      results: [
        {
          ...action,
          matchedWhenExpression: true,
          selectedTargets: [{ namespace: "shop", name: "app", success: true }],
          result: "Success",
          summary: "Refreshed 1 of 1 selected resources",
        },
      ],
    });
  });

  it("refuse what is not JSON", async () => {
    const { server, path } = await startWithReceiver(generic({ action: "Refresh" }));
    expect((await post(server, path, "{", {})).status).toBe(400);
  });
});

/** Sends headers as they are, whatever the body: `fetch` would not. */
function rawPost(url: string, headers: OutgoingHttpHeaders, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: "POST", headers: { ...headers, "X-GitHub-Event": "push" } },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
        sent.destroy();
      },
    );
    sent.on("error", reject);
    sent.flushHeaders();
    sent.write(body);
  });
}
