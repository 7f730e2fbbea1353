import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { StepContext } from "#core/step.ts";
import argocdUpdate from "#steps/argocd-update.ts";
import { type ArgoServer, fakeApplication, startArgoServer } from "#test/support/argocd-server.ts";
import { serve } from "#test/support/http-server.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const repoURL = "https://git.example.com/shop.git";
const chartURL = "https://charts.example.com";

const contextFor = (argo: ArgoServer, overrides: Partial<StepContext> = {}) =>
  fakeContext({ argocd: async () => argo.connection, ...overrides });

async function serverWith(...apps: Parameters<typeof fakeApplication>[]): Promise<ArgoServer> {
  const argo = await startArgoServer();
  argo.apps = apps.map((args) => fakeApplication(...args));
  return argo;
}

/** What the first Application was asked to do, as name and value. */
const infoOf = ({ apps }: ArgoServer) =>
  Object.fromEntries(
    ((apps[0]?.operation?.info ?? []) as { name: string; value: string }[]).map(({ name, value }) => [
      name,
      value,
    ]),
  );

const one = { apps: [{ name: "web" }] };
const toRevision = (desiredRevision: string) => ({
  apps: [{ name: "web", sources: [{ repoURL, desiredRevision }] }],
});

describe("argocd-update", () => {
  it("begins a sync, waits for it, and registers the stage's health check", async () => {
    const argo = await serverWith(["web"]);
    const ctx = contextFor(argo, { actor: "email:ada@example.com" });
    const output = { apps: [{ name: "web", namespace: "argocd" }] };
    const isUnderWay = { status: "waiting", message: expect.stringContaining("is being synced"), output };
    expect(await runStep(argocdUpdate, toRevision("abc"), ctx)).toMatchObject(isUnderWay);
    expect(infoOf(argo)).toMatchObject({
      "kargo.akuity.io/promotion": ctx.promotion,
      "Promoted by": "email:ada@example.com",
    });
    // Not yet taken up, and then running: no second operation in either case.
    expect(await runStep(argocdUpdate, toRevision("abc"), ctx)).toMatchObject(isUnderWay);
    argo.takeUp("web");
    expect(await runStep(argocdUpdate, toRevision("abc"), ctx)).toMatchObject(isUnderWay);
    argo.finish("web", { revision: "abc" });
    expect(await runStep(argocdUpdate, toRevision("abc"), ctx)).toEqual({
      status: "succeeded",
      output,
      healthCheck: {
        uses: "argocd-update",
        config: { apps: [{ name: "web", namespace: "argocd", desiredRevisions: ["abc"] }] },
      },
    });
    expect(argo.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
    expect(argo.requests.filter((request) => request.startsWith("PATCH"))).toEqual([]);
  });

  it.each([
    {
      outcome: "the wanted revision",
      finish: { revision: "abc" },
      gives: { status: "succeeded" },
      again: false,
    },
    { outcome: "another revision", finish: { revision: "old" }, gives: { status: "waiting" }, again: true },
  ])("goes on after $outcome", async ({ finish, gives, again }) => {
    const argo = await serverWith(["web"]);
    const ctx = contextFor(argo);
    await runStep(argocdUpdate, toRevision("abc"), ctx);
    argo.takeUp("web");
    argo.finish("web", finish);
    expect(await runStep(argocdUpdate, toRevision("abc"), ctx)).toMatchObject(gives);
    expect(argo.apps[0]?.operation !== undefined).toBe(again);
  });

  it.each(["Failed", "Error"])("fails with Argo CD's words when the operation ends in %s", async (phase) => {
    const argo = await serverWith(["web"]);
    const ctx = contextFor(argo);
    await runStep(argocdUpdate, one, ctx);
    argo.takeUp("web");
    argo.finish("web", { phase, message: "one or more objects failed to apply" });
    await expect(runStep(argocdUpdate, one, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("one or more objects failed to apply"),
    });
  });

  it.each([
    { owner: "somebody", info: undefined, told: /operation of somebody/ },
    {
      owner: "towpath",
      info: [{ name: "kargo.akuity.io/promotion", value: "other" }],
      told: /promotion other/,
    },
  ])("lets an operation of $told end before its own", async ({ owner, info, told }) => {
    const argo = await serverWith(["web"]);
    Object.assign(argo.apps[0] ?? {}, { operation: { sync: {}, info, initiatedBy: { username: owner } } });
    for (const bring of [() => undefined, () => argo.takeUp("web")]) {
      bring();
      expect(await runStep(argocdUpdate, one, contextFor(argo))).toMatchObject({
        status: "waiting",
        message: expect.stringMatching(told),
      });
    }
    argo.finish("web");
    expect(await runStep(argocdUpdate, one, contextFor(argo))).toMatchObject({ status: "waiting" });
    expect(infoOf(argo)["kargo.akuity.io/promotion"]).toBe(contextFor(argo).promotion);
  });

  it("waits for a sync window to open, and for an operation that came in between", async () => {
    const argo = await serverWith(["web"]);
    argo.isWindowShut = true;
    expect(await runStep(argocdUpdate, one, contextFor(argo))).toMatchObject({
      status: "waiting",
      message: expect.stringContaining("blocked by sync window"),
    });
    argo.isWindowShut = false;
    const busy = { error: "another operation is already in progress", code: 9 };
    argo.answers = [
      [200, JSON.stringify(argo.apps[0])],
      [200, "{}"],
      [400, JSON.stringify(busy)],
    ];
    expect(await runStep(argocdUpdate, one, contextFor(argo))).toMatchObject({
      status: "waiting",
      message: expect.stringContaining("another operation"),
    });
    expect(argo.apps[0]?.operation).toBeUndefined();
  });

  it("does not wait for a refresh that takes long", async () => {
    const argo = await serverWith(["web"]);
    argo.refreshes = false;
    const warnings: string[] = [];
    const { fetch } = fakeContext();
    const ctx = contextFor(argo, {
      log: { info() {}, warn: (text) => void warnings.push(text) },
      // Time flies.
      fetch: (url, init) => fetch(url, { ...init, timeoutSeconds: (init?.timeoutSeconds ?? 30) / 20 }),
    });
    expect(await runStep(argocdUpdate, one, ctx)).toMatchObject({ status: "waiting" });
    expect(argo.apps[0]?.operation).toBeDefined();
    expect(warnings).toEqual([expect.stringContaining("no complete answer")]);
  });
});

describe("sources of an Application", () => {
  const kept = { ref: "values", directory: { recurse: true } };
  it.each([
    {
      what: "the target revision of a Git source",
      spec: { source: { repoURL, targetRevision: "main", path: "a" } },
      source: { repoURL: "https://git.example.com/shop", desiredRevision: "abc", updateTargetRevision: true },
      becomes: { source: { repoURL, targetRevision: "abc", path: "a" } },
    },
    {
      what: "one of several sources, by chart",
      spec: {
        sources: [
          { repoURL, ...kept },
          {
            repoURL: chartURL,
            chart: "web",
            targetRevision: "1.0.0",
            helm: { valueFiles: ["$values/v.yaml"] },
          },
        ],
      },
      source: {
        repoURL: chartURL,
        chart: "web",
        desiredRevision: "1.1.0",
        updateTargetRevision: true,
        helm: { images: [{ key: "tag", value: "v2" }] },
      },
      becomes: {
        sources: [
          { repoURL, ...kept },
          {
            repoURL: chartURL,
            chart: "web",
            targetRevision: "1.1.0",
            helm: { valueFiles: ["$values/v.yaml"], parameters: [{ name: "tag", value: "v2" }] },
          },
        ],
      },
    },
    {
      what: "Helm parameters, the others kept",
      spec: {
        source: {
          repoURL,
          helm: {
            parameters: [
              { name: "a", value: "1", forceString: true },
              { name: "b", value: "2" },
            ],
          },
        },
      },
      source: {
        repoURL,
        helm: {
          images: [
            { key: "b", value: "3" },
            { key: "c", value: "" },
          ],
        },
      },
      becomes: {
        source: {
          repoURL,
          helm: {
            parameters: [
              { name: "a", value: "1", forceString: true },
              { name: "b", value: "3" },
              { name: "c", value: "" },
            ],
          },
        },
      },
    },
    {
      what: "Kustomize images",
      spec: { source: { repoURL, kustomize: { namePrefix: "x-", images: ["old:1"] } } },
      source: {
        repoURL,
        kustomize: {
          images: [
            { repoURL: "web", tag: "v2" },
            { repoURL: "db", digest: "sha256:1" },
            { repoURL: "api", newName: "registry.example.com/api", tag: "v3" },
          ],
        },
      },
      becomes: {
        source: {
          repoURL,
          kustomize: {
            namePrefix: "x-",
            images: ["web:v2", "db@sha256:1", "api=registry.example.com/api:v3"],
          },
        },
      },
    },
  ])("are updated: $what", async ({ spec, source, becomes }) => {
    const argo = await serverWith(["web", spec]);
    await runStep(argocdUpdate, { apps: [{ name: "web", sources: [source] }] }, contextFor(argo));
    expect(argo.apps[0]?.spec).toMatchObject(becomes);
    expect(argo.apps[0]?.metadata.annotations).toMatchObject({ "argocd.argoproj.io/refresh": "hard" });
    expect(argo.apps[0]?.operation).toBeDefined();
  });

  it("are left alone when the update is for none of them, and the error tells which there are", async () => {
    const argo = await serverWith(["web"]);
    const config = { apps: [{ name: "web", sources: [{ repoURL: chartURL, chart: "web" }] }] };
    await expect(runStep(argocdUpdate, config, contextFor(argo))).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringMatching(/chart "web" of ".*" \(it has "https:\/\/git/),
    });
    expect(argo.apps[0]?.operation).toBeUndefined();
  });

  it("need the right to update only when they change", async () => {
    const argo = await serverWith(["web"]);
    argo.rights.delete("update");
    expect(await runStep(argocdUpdate, toRevision("abc"), contextFor(argo))).toMatchObject({
      status: "waiting",
    });
    const config = {
      apps: [{ name: "web", sources: [{ repoURL, helm: { images: [{ key: "a", value: "b" }] } }] }],
    };
    argo.takeUp("web");
    argo.finish("web");
    await expect(
      runStep(argocdUpdate, config, contextFor(argo, { promotion: "next" })),
    ).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("permission denied: applications, update"),
    });
  });
});

describe("selected Applications", () => {
  const team = { labels: { team: "shop" } };
  const all = (sources?: object[]) => ({ apps: [{ selector: { matchLabels: { team: "shop" } }, sources }] });

  it("are all updated, but for those that did not authorize the stage", async () => {
    const argo = await serverWith(
      ["a", team],
      ["b", team],
      ["c", { ...team, annotations: {} }],
      ["d", { labels: { team: "other" } }],
    );
    expect(await runStep(argocdUpdate, all(), contextFor(argo))).toMatchObject({
      status: "waiting",
      output: { apps: [{ name: "a" }, { name: "b" }] },
    });
    expect(argo.apps.map(({ operation }) => operation !== undefined)).toEqual([true, true, false, false]);
    expect(argo.requests[0]).toBe("GET /api/v1/applications?appNamespace=argocd&selector=team%3Dshop");
  });

  it("are all left alone when one has other sources", async () => {
    const spec = { ...team, source: { repoURL: "https://git.example.com/other.git" } };
    const argo = await serverWith(["a", team], ["b", spec], ["c", spec], ["d", spec], ["e", spec]);
    const running = runStep(argocdUpdate, all([{ repoURL, desiredRevision: "abc" }]), contextFor(argo));
    await expect(running).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringMatching(/changed none: 4 have other sources: .*"b".*"c".*"d".*; and 1 more$/),
    });
    expect(argo.apps.every(({ operation }) => operation === undefined)).toBe(true);
  });

  it.each([
    {
      selector: { matchExpressions: [{ key: "team", operator: "In", values: ["x", "shop"] }] },
      finds: ["a"],
    },
    { selector: { matchExpressions: [{ key: "team", operator: "NotIn", values: ["shop"] }] }, finds: ["b"] },
    { selector: { matchExpressions: [{ key: "team", operator: "DoesNotExist" }] }, finds: ["b"] },
    {
      selector: { matchLabels: { team: "shop" }, matchExpressions: [{ key: "team", operator: "Exists" }] },
      finds: ["a"],
    },
  ])("are found by $selector", async ({ selector, finds }) => {
    const argo = await serverWith(["a", team], ["b"]);
    const outcome = await runStep(argocdUpdate, { apps: [{ selector }] }, contextFor(argo));
    expect(outcome.output?.apps).toEqual(finds.map((name) => ({ name, namespace: "argocd" })));
  });

  it.each([{ team: "nobody" }, { team: "shop,role!=prod" }, { "team,!x": "shop" }, { "a/b/c": "shop" }])(
    "are none for %j",
    async (matchLabels) => {
      const argo = await serverWith(["a", team]);
      await expect(
        runStep(argocdUpdate, { apps: [{ selector: { matchLabels } }] }, contextFor(argo)),
      ).rejects.toMatchObject({ status: "Errored" });
      expect(argo.apps[0]?.operation).toBeUndefined();
    },
  );
});

describe("an Application's authorization", () => {
  it.each([
    { annotation: "shop:test", allows: true },
    { annotation: "shop:prod, shop:test", allows: true },
    { annotation: " shop : test ,", allows: true },
    { annotation: undefined, allows: false },
    { annotation: "", allows: false },
    { annotation: "shop:prod", allows: false },
    { annotation: "other:test", allows: false },
    { annotation: "shop:*", allows: false },
    { annotation: "*:test", allows: false },
    { annotation: "shop:test,shop:*", allows: false },
    { annotation: "shop:test,prod", allows: false },
    { annotation: "shop:test:more", allows: false },
  ])("of $annotation lets the stage change it: $allows", async ({ annotation, allows }) => {
    const annotations = annotation === undefined ? {} : { "kargo.akuity.io/authorized-stage": annotation };
    const argo = await serverWith(["web", { annotations: annotations as Record<string, string> }]);
    const running = runStep(argocdUpdate, one, contextFor(argo));
    if (allows) expect(await running).toMatchObject({ status: "waiting" });
    else
      await expect(running).rejects.toMatchObject({
        status: "Errored",
        message: expect.stringMatching(/not authorized/),
      });
    expect(argo.apps[0]?.operation !== undefined).toBe(allows);
  });
});

describe("an answer of Argo CD", () => {
  it.each([
    { answer: [401, '{"error":"invalid session","code":16}'], kind: "refused", told: /invalid session/ },
    {
      answer: [403, '{"error":"permission denied","code":7}'],
      kind: "errored",
      told: /no such Application, or/,
    },
    { answer: [404, '{"error":"not found","code":5}'], kind: "errored", told: /Cannot find/ },
    { answer: [429, "slow down"], kind: "transient", told: /429/ },
    { answer: [503, "<html>"], kind: "transient", told: /503/ },
    { answer: [200, "<html>login</html>"], kind: "errored", told: /is the address right/ },
    { answer: [500, '{"error":"boom","code":13}'], kind: "errored", told: /boom/ },
  ] as const)("of $answer makes a failure of kind $kind", async ({ answer, kind, told }) => {
    const argo = await serverWith(["web"]);
    argo.answers = [[...answer]];
    await expect(runStep(argocdUpdate, one, contextFor(argo))).rejects.toMatchObject({
      kind,
      message: expect.stringMatching(told),
    });
  });

  it("is not looked for at another address: the token goes nowhere else", async () => {
    const other = await startArgoServer();
    const { url } = await serve((_, response) =>
      response.writeHead(302, { Location: other.connection.server }).end(),
    );
    const ctx = contextFor(other, { argocd: async () => ({ ...other.connection, server: url }) });
    await expect(runStep(argocdUpdate, one, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("it redirects"),
    });
    expect(other.requests).toEqual([]);
  });

  it("is asked for over TLS with a certificate of its own, and at a path", async () => {
    const argo = await startArgoServer({ tls: true, path: "/argo" });
    argo.apps = [fakeApplication("web")];
    await expect(runStep(argocdUpdate, one, contextFor(argo))).rejects.toThrow(/certificate/);
    const caCertificates = readFileSync(new URL("../fixtures/tls/cert.pem", import.meta.url), "utf8");
    for (const options of [{ insecureSkipTLSVerify: true }, { caCertificates }]) {
      const connection = { ...argo.connection, ...options };
      const ctx = contextFor(argo, { argocd: async () => connection });
      expect(await runStep(argocdUpdate, one, ctx)).toMatchObject({ status: "waiting" });
    }
  });

  it("cannot be had where no Argo CD is set up", async () => {
    await expect(runStep(argocdUpdate, one)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("towpath.dev/connection: argocd"),
    });
  });
});

describe("a configuration of argocd-update", () => {
  const source = (fields: object) => ({ apps: [{ name: "web", sources: [{ repoURL, ...fields }] }] });
  const selector = (fields: object) => ({ apps: [{ selector: fields }] });
  it.each([
    {},
    { apps: [] },
    { apps: [{}] },
    { apps: [{ name: "" }] },
    { apps: [{ name: "a", selector: { matchLabels: { a: "b" } } }] },
    { apps: [{ name: "a", namespace: "" }] },
    { apps: [{ name: "a", more: 1 }] },
    selector({}),
    selector({ matchLabels: {} }),
    selector({ matchExpressions: [] }),
    selector({ matchExpressions: [{ operator: "In" }] }),
    selector({ matchExpressions: [{ key: "a" }] }),
    selector({ matchExpressions: [{ key: "", operator: "In" }] }),
    selector({ matchExpressions: [{ key: "a", operator: "Is" }] }),
    { apps: [{ name: "a", sources: [] }] },
    { apps: [{ name: "a", sources: [{}] }] },
    source({ repoURL: "" }),
    source({ chart: "" }),
    source({ desiredRevision: "" }),
    source({ updateTargetRevision: true }),
    source({ helm: {} }),
    source({ helm: { images: [] } }),
    source({ helm: { images: [{ key: "", value: "a" }] } }),
    source({ helm: { images: [{ key: "a" }] } }),
    source({ kustomize: { images: [] } }),
    source({ kustomize: { images: [{ repoURL: "" }] } }),
    source({ kustomize: { images: [{ repoURL: "a", newName: "" }] } }),
    source({ kustomize: { images: [{ repoURL: "a", tag: "b", digest: "c" }] } }),
  ])("is refused: %j", async (config) => {
    await expect(runStep(argocdUpdate, config)).rejects.toMatchObject({ kind: "config" });
  });

  it.each([
    selector({ matchLabels: { a: "b" }, matchExpressions: [] }),
    source({ desiredRevision: "a", updateTargetRevision: true, kustomize: {} }),
    source({
      kustomize: { images: [{ repoURL: "a", tag: "", digest: "" }] },
      helm: { images: [{ key: "a", value: "" }] },
    }),
  ])("is taken: %j", (config) => {
    expect(argocdUpdate.config.safeParse(config).error).toBeUndefined();
  });
});
