import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createDiscoveryParts } from "#core/artifacts/discovery-parts.ts";
import { createWarehouseReconciler } from "#core/artifacts/warehouse-reconciler.ts";
import { createCipher } from "#core/credentials/cipher.ts";
import type { Credentials } from "#core/credentials/credentials.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import { createExpressions } from "#core/expressions/expressions.ts";
import { createGit } from "#core/git/git.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import { Warehouse } from "#core/resources/warehouse.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import { startFakeRegistry } from "#test/support/fake-registry.ts";
import { addPlanned, plannedRepository } from "#test/support/git-history.ts";
import { serveOverHttp } from "#test/support/git-server.ts";
import { fakeContext } from "#test/support/step-context.ts";

let expressions: Expressions;
beforeAll(async () => {
  expressions = await createExpressions();
});

const ref = { kind: "Warehouse", project: "demo", name: "shop" };
const secret = "s3cret-password";

/** A project with one Warehouse, real repositories and a clock of its own. */
async function project(
  spec: Record<string, unknown>,
  { annotations = {}, credentials }: { annotations?: Record<string, string>; credentials?: Credentials } = {},
) {
  const clock = { now: new Date("2030-06-01T12:00:00Z") };
  const store = await openSqliteStore({
    file: ":memory:",
    cipher: createCipher(Buffer.alloc(32)),
    now: () => clock.now,
  });
  const host = fakeContext();
  const reconciler = createWarehouseReconciler({
    store,
    parts: createDiscoveryParts({
      fetch: createFetch({ policy: createEgressPolicy({ allow: ["127.0.0.1"] }) }),
      registryRequestsPerSecond: 10_000,
      now: () => clock.now,
    }),
    git: () => createGit(host),
    credentialsOf: () => ({ find: async () => credentials }),
    expressions,
    masker: { mask: (text) => text.replaceAll(secret, "***") },
    random: () => 0,
  });
  const warehouse = Warehouse.parse({
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "Warehouse",
    metadata: { name: "shop", namespace: "demo", annotations },
    spec,
  });
  await store.write([{ op: "create", resource: warehouse as Resource }]);
  return {
    store,
    reconciler,
    reconcile: () => reconciler.reconcile(ref, new AbortController().signal),
    pass: (minutes: number) => {
      clock.now = new Date(clock.now.getTime() + minutes * 60_000);
    },
    get: async () => (await store.get(ref)) as Warehouse,
    status: async () => (await store.get(ref))?.status as NonNullable<Warehouse["status"]>,
    conditions: async () => {
      const status = (await store.get(ref))?.status as Warehouse["status"];
      const entries = (status?.conditions ?? []).map(({ type, status, reason }) => [
        type,
        `${status} ${reason}`,
      ]);
      return Object.fromEntries(entries) as Record<string, string>;
    },
    message: async (type: string) => {
      const status = (await store.get(ref))?.status as Warehouse["status"];
      return status?.conditions?.find((condition) => condition.type === type)?.message ?? "";
    },
    freight: async () => (await store.list({ kind: "Freight", project: "demo" })) as Freight[],
    annotate: async (values: Record<string, string>) => {
      const current = (await store.get(ref)) as Resource;
      current.metadata.annotations = { ...current.metadata.annotations, ...values };
      await store.write([{ op: "update", resource: current }]);
    },
    change: async (edit: (spec: Warehouse["spec"]) => void) => {
      const current = (await store.get(ref)) as Warehouse;
      edit(current.spec);
      await store.write([{ op: "update", resource: current as Resource }]);
    },
  };
}

const releases = (repoURL: string) => ({
  git: { repoURL: `file://${repoURL}`, commitSelectionStrategy: "SemVer", semverConstraint: "^1.0.0" },
});

describe("a Warehouse", () => {
  it("makes freight of the newest release, once, with an alias and an event", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0"] }]);
    const { reconcile, freight, status, conditions, store } = await project({
      subscriptions: [releases(repository)],
    });
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 300 });
    const [made, ...others] = await freight();
    expect(others).toEqual([]);
    expect(made).toMatchObject({
      metadata: { name: expect.stringMatching(/^[0-9a-f]{40}$/), namespace: "demo" },
      alias: expect.stringMatching(/^[a-z]+-[a-z]+$/),
      discoveredAt: "2030-06-01T12:00:00Z",
      origin: { kind: "Warehouse", name: "shop" },
      commits: [{ tag: "v1.0.0", message: "First", author: "Ann <ann@example.com>" }],
    });
    expect(made?.metadata.labels?.["kargo.akuity.io/alias"]).toBe(made?.alias);
    expect(await conditions()).toEqual({
      Ready: "True ArtifactsDiscovered",
      Healthy: "True ReconciliationSucceeded",
      FreightCreationCriteriaSatisfied: "True CriteriaSatisfied",
      FreightCreated: "True NewFreight",
    });
    expect(await status()).toMatchObject({
      observedGeneration: 1,
      lastFreightID: made?.metadata.name,
      discoveredArtifacts: {
        discoveredAt: "2030-06-01T12:00:00Z",
        git: [{ commits: [{ tag: "v1.0.0" }], observedRefs: { tags: [{ name: "v1.0.0" }] } }],
        images: [],
        charts: [],
      },
    });
    const [event] = await store.events({ project: "demo" });
    expect(event).toMatchObject({
      reason: "FreightCreated",
      regarding: { kind: "Freight", project: "demo" },
    });

    await reconcile();
    expect(await freight()).toHaveLength(1);
    expect(await conditions()).toMatchObject({ FreightCreated: "False AlreadyExists" });
  });

  it("looks again when its interval has passed, and not before", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0"] }]);
    const { reconcile, freight, pass } = await project({
      subscriptions: [releases(repository)],
      interval: "10m",
    });
    await reconcile();
    addPlanned(repository, [{ subject: "Second", tags: ["v1.1.0"] }]);
    pass(4);
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 360 });
    expect(await freight()).toHaveLength(1);
    pass(6);
    await reconcile();
    expect((await freight()).map(({ commits }) => commits?.[0]?.tag)).toEqual(["v1.0.0", "v1.1.0"]);
  });

  it("looks at once when somebody asks, and says that it has", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0"] }]);
    const { reconcile, freight, annotate, status } = await project({ subscriptions: [releases(repository)] });
    await reconcile();
    addPlanned(repository, [{ subject: "Second", tags: ["v1.1.0"] }]);
    await annotate({ "kargo.akuity.io/refresh": "now" });
    await reconcile();
    expect(await freight()).toHaveLength(2);
    expect((await status()).lastHandledRefresh).toBe("now");
  });

  it("looks at once when it is changed, and chooses anew where nothing else has changed", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0", "v1.1.0", "v2.0.0"] }]);
    const { reconcile, freight, change, status } = await project({ subscriptions: [releases(repository)] });
    await reconcile();
    await change((spec) => {
      Object.assign(spec.subscriptions[0]?.git ?? {}, { semverConstraint: "^2" });
    });
    await reconcile();
    expect((await freight()).map(({ commits }) => commits?.[0]?.tag)).toEqual(["v1.1.0", "v2.0.0"]);
    expect((await status()).observedGeneration).toBe(2);
  });

  it("does not fetch while the refs stay the same", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0"] }]);
    const { reconcile, pass, status } = await project({ subscriptions: [releases(repository)] });
    await reconcile();
    const before = (await status()).discovery?.[0];
    // A tag that the rules refuse changes nothing either.
    addPlanned(repository, [{ subject: "Odd", tags: ["odd"] }]);
    pass(6);
    await reconcile();
    expect((await status()).discovery?.[0]).toEqual({ ...before, lastLookedAt: "2030-06-01T12:06:00Z" });
  });

  it("notices new ones among more tags than a status can hold, and asks for no more than their list", async () => {
    const tags = Array.from({ length: 1_100 }, (_, at) => `v1.0.${at}`);
    const repository = plannedRepository([{ subject: "First", tags }]);
    const { url, requests } = await serveOverHttp(path.dirname(repository));
    const { reconcile, pass, status, freight } = await project({
      subscriptions: [
        {
          git: { repoURL: `${url}/repo.git`, commitSelectionStrategy: "SemVer", semverConstraint: "^1.0.0" },
        },
      ],
    });
    await reconcile();
    expect((await status()).discoveredArtifacts?.git?.[0]?.observedRefs).toBeUndefined();
    const asked = requests.length;
    pass(6);
    await reconcile();
    // One exchange of git's: what the server speaks, and the list.
    expect(requests.slice(asked).map((request) => `${request.method} ${request.path}`)).toEqual([
      "GET /repo.git/info/refs?service=git-upload-pack",
      "POST /repo.git/git-upload-pack",
    ]);
    addPlanned(repository, [{ subject: "Second", tags: ["v1.1.0"] }]);
    pass(6);
    await reconcile();
    expect((await freight()).map(({ commits }) => commits?.[0]?.tag)).toEqual(["v1.0.1099", "v1.1.0"]);
  });

  it("tells in its status what it left out and why", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0", "v2.0.0", "odd", "odder"] }]);
    const { reconcile, status } = await project({ subscriptions: [releases(repository)] });
    await reconcile();
    expect((await status()).discovery).toEqual([
      {
        kind: "git",
        repoURL: `file://${repository}`,
        lastLookedAt: "2030-06-01T12:00:00Z",
        chosen: 1,
        leftOut: [
          { reason: "is no semantic version", count: 2, examples: expect.arrayContaining(["odd", "odder"]) },
          { reason: 'does not satisfy the constraint "^1.0.0"', count: 1, examples: ["v2.0.0"] },
        ],
      },
    ]);
  });

  it("makes one piece of freight of several repositories, named subscriptions told apart", async () => {
    const registry = await startFakeRegistry();
    registry.pushImage("1.2.0", { annotations: { team: "shop" } });
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0"] }]);
    const { reconcile, freight } = await project({
      subscriptions: [
        { name: "code", ...releases(repository) },
        { name: "web", image: { repoURL: registry.repoURL } },
      ],
    });
    await reconcile();
    expect(await freight()).toMatchObject([
      {
        commits: [{ tag: "v1.0.0", subscriptionName: "code" }],
        images: [
          {
            repoURL: registry.repoURL,
            tag: "1.2.0",
            digest: expect.stringMatching(/^sha256:/),
            annotations: { team: "shop" },
            subscriptionName: "web",
          },
        ],
      },
    ]);
  });

  it("finds the newest commit that changes the paths it is for, however many do not", async () => {
    const wanted = { subject: "Wanted", files: { "apps/web/a.yaml": "1" } };
    const others = Array.from({ length: 50 }, (_, at) => ({
      subject: `Other ${at}`,
      files: { other: `${at}` },
    }));
    const repository = plannedRepository([wanted, ...others]);
    const { reconcile, freight } = await project({
      subscriptions: [
        { git: { repoURL: `file://${repository}`, includePaths: ["apps/web"], discoveryLimit: 5 } },
      ],
    });
    await reconcile();
    expect((await freight())[0]?.commits).toMatchObject([{ message: "Wanted" }]);
  });

  it("takes what people write into repositories as text and nothing else", async () => {
    const subject = "${{ secrets('all') }} <b>; $(touch /tmp/x)";
    const repository = plannedRepository([{ subject, tags: ["--output=x", "a"] }]);
    const { reconcile, freight } = await project({
      subscriptions: [
        {
          git: {
            repoURL: `file://${repository}`,
            commitSelectionStrategy: "Lexical",
            includePaths: ["regex:.*"],
            allowTagsRegexes: ["^-"],
          },
        },
      ],
    });
    await reconcile();
    expect((await freight())[0]?.commits).toMatchObject([{ tag: "--output=x", message: subject }]);
  });

  it("makes no freight when a repository has nothing to offer", async () => {
    const repository = plannedRepository([{ subject: "First" }]);
    const { reconcile, freight, conditions, message } = await project({
      subscriptions: [releases(repository)],
    });
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 300 });
    expect(await freight()).toEqual([]);
    expect(await conditions()).toEqual({
      Ready: "False MissingCommits",
      Healthy: "False NoCommitsDiscovered",
    });
    expect(await message("Ready")).toBe(`No commits discovered for Git repository "file://${repository}"`);
  });

  it("makes no freight by itself when it is told not to", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0"] }]);
    const { reconcile, freight, conditions, status } = await project({
      subscriptions: [releases(repository)],
      freightCreationPolicy: "Manual",
    });
    await reconcile();
    expect(await freight()).toEqual([]);
    expect(await conditions()).toEqual({
      Ready: "True ArtifactsDiscovered",
      Healthy: "True ReconciliationSucceeded",
    });
    expect((await status()).discoveredArtifacts?.git?.[0]?.commits).toHaveLength(1);
  });

  it("is passed over when it is gone", async () => {
    const { reconcile, store } = await project({ subscriptions: [releases("/nowhere")] });
    await store.write([{ op: "delete", ref }]);
    expect(await reconcile()).toBeUndefined();
  });
});

describe("freight creation criteria", () => {
  const front = () => plannedRepository([{ subject: "Front", tags: ["v1.0.0"] }]);

  it.each([
    { criteria: (a: string, b: string) => `commitFrom('${a}').Tag == commitFrom('${b}').Tag`, met: false },
    {
      criteria: (a: string, b: string) => `commitFrom('${a}').Subject != commitFrom('${b}').Subject`,
      met: true,
    },
    { criteria: (a: string) => `commitFrom('${a}').CreatorDate.Year() >= 2029`, met: true },
    { criteria: (a: string) => `commitFrom('${a}/none') == nil && imageFrom('x') == nil`, met: true },
    { criteria: () => "'false'", met: false },
    { criteria: () => " ", met: true },
  ])("hold: $met", async ({ criteria, met }) => {
    const [a, b] = [front(), plannedRepository([{ subject: "Back", tags: ["v1.1.0"] }])];
    const { reconcile, freight, conditions } = await project({
      subscriptions: [releases(a), releases(b)],
      freightCreationCriteria: { expression: criteria(`file://${a}`, `file://${b}`) },
    });
    await reconcile();
    expect(await freight()).toHaveLength(met ? 1 : 0);
    expect((await conditions()).FreightCreationCriteriaSatisfied).toBe(
      met ? "True CriteriaSatisfied" : "False CriteriaNotSatisfied",
    );
    expect((await conditions()).Ready).toBe("True ArtifactsDiscovered");
  });

  it("may ask when an image was made, whatever chooses it", async () => {
    const registry = await startFakeRegistry();
    registry.pushImage("1.2.0", { created: "2030-05-01T00:00:00Z" });
    const { reconcile, freight } = await project({
      subscriptions: [{ image: { repoURL: registry.repoURL } }],
      freightCreationCriteria: { expression: `imageFrom('${registry.repoURL}').CreatedAt.Year() == 2030` },
    });
    await reconcile();
    expect(await freight()).toHaveLength(1);
  });

  it.each(["1 +", "'maybe'", "commitFrom(1)"])("that cannot be judged (%s) are told", async (expression) => {
    const { reconcile, freight, conditions, message } = await project({
      subscriptions: [releases(front())],
      freightCreationCriteria: { expression },
    });
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 300 });
    expect(await freight()).toEqual([]);
    expect((await conditions()).Ready).toBe("False CriteriaEvaluationFailed");
    expect(await message("Ready")).toContain("Evaluation of Freight creation criteria failed");
  });
});

describe("a repository that cannot be read", () => {
  it("is named with what is wrong; the others are told as well, and nothing is lost", async () => {
    const registry = await startFakeRegistry({ auth: "basic" });
    const { reconcile, conditions, message, status, freight } = await project({
      subscriptions: [releases("/nowhere/repo.git"), { name: "web", image: { repoURL: registry.repoURL } }],
    });
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 2.5 });
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 5 });
    expect(await conditions()).toMatchObject({
      Ready: "False DiscoveryFailure",
      Healthy: "False DiscoveryFailed",
      Reconciling: "True ScheduledDiscovery",
    });
    const text = await message("Ready");
    expect(text).toMatch(/^Artifact discovery failed: git "file:\/\/\/nowhere\/repo\.git": Cannot list/);
    expect(text).toContain(`image "${registry.repoURL}" (web): Cannot read`);
    expect(text).toContain("none are configured for this repository");
    expect((await status()).observedGeneration).toBeUndefined();
    expect(await freight()).toEqual([]);
  });

  it("is looked at again after its credentials were changed", async () => {
    const registry = await startFakeRegistry({ auth: "basic" });
    const { reconcile, reconciler, store } = await project(
      { subscriptions: [{ image: { repoURL: registry.repoURL } }] },
      { credentials: { username: "joe", password: secret } },
    );
    const secretResource = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "registry", namespace: "demo", labels: { "kargo.akuity.io/cred-type": "image" } },
    };
    const change = { type: "MODIFIED", resource: secretResource } as const;
    expect(reconciler.enqueueFor?.(change)).toEqual([]);
    await reconcile();
    expect(reconciler.enqueueFor?.(change)).toEqual([ref]);
    expect(await store.get(ref)).toMatchObject({
      status: { discovery: [{ failure: expect.stringContaining("refused the configured credentials") }] },
    });
  });

  it("over HTTP with a wrong password is told as such, without the password", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0"] }]);
    const user = { name: "joe", password: "right" };
    const { url } = await serveOverHttp(path.dirname(repository), { user });
    const { reconcile, message } = await project(
      { subscriptions: [{ git: { repoURL: `${url}/repo.git` } }] },
      { credentials: { username: "joe", password: secret } },
    );
    await reconcile();
    const text = await message("Ready");
    expect(text).toContain(`git "${url}/repo.git"`);
    expect(text).toContain("the server refused the credentials");
    expect(text).not.toContain(secret);
  });

  it("recovers by itself", async () => {
    const registry = await startFakeRegistry();
    registry.pushImage("1.0.0");
    let isDown = true;
    registry.behaviour.intercept = (_, response) => isDown && Boolean(response.writeHead(500).end());
    const { reconcile, conditions, freight } = await project({
      subscriptions: [{ image: { repoURL: registry.repoURL } }],
    });
    await reconcile();
    expect((await conditions()).Ready).toBe("False DiscoveryFailure");
    isDown = false;
    await reconcile();
    expect((await conditions()).Ready).toBe("True ArtifactsDiscovered");
    expect(await freight()).toHaveLength(1);
  });

  it("keeps what was found before, and is not taken for looked at", async () => {
    const registry = await startFakeRegistry();
    registry.pushImage("1.0.0");
    const { reconcile, conditions, annotate, status } = await project({
      subscriptions: [{ image: { repoURL: registry.repoURL } }],
    });
    await reconcile();
    registry.behaviour.intercept = (_, response) => Boolean(response.writeHead(500).end());
    await annotate({ "kargo.akuity.io/refresh": "1" });
    await reconcile();
    await reconcile();
    expect((await conditions()).Ready).toBe("False DiscoveryFailure");
    expect((await status()).discoveredArtifacts?.images?.[0]?.references).toHaveLength(1);
  });
});

describe("the settle time", () => {
  it("lets no freight mix versions while artifacts are still coming in", async () => {
    const repository = plannedRepository([{ subject: "First", tags: ["v1.0.0"] }]);
    const { reconcile, freight, pass, conditions } = await project(
      { subscriptions: [releases(repository)] },
      { annotations: { "towpath.dev/settle": "2m" } },
    );
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 120 });
    expect(await conditions()).toMatchObject({
      FreightCreated: "False Settling",
      Ready: "True ArtifactsDiscovered",
    });
    addPlanned(repository, [{ subject: "Second", tags: ["v1.1.0"] }]);
    pass(2);
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 120 });
    expect(await freight()).toEqual([]);
    pass(2);
    expect(await reconcile()).toEqual({ requeueAfterSeconds: 300 });
    expect((await freight()).map(({ commits }) => commits?.[0]?.tag)).toEqual(["v1.1.0"]);
  });
});

describe("news for a Warehouse", () => {
  it("is a change of what is wanted of it, and not of its status", async () => {
    const { reconciler, get } = await project({ subscriptions: [releases("/nowhere")] });
    const warehouse = (await get()) as Resource;
    const enqueued = (resource: Resource) => reconciler.enqueueFor?.({ type: "MODIFIED", resource });
    expect(enqueued(warehouse)).toEqual([ref]);
    expect(enqueued({ ...warehouse, status: { lastFreightID: "x" } })).toEqual([]);
    const annotations = { "kargo.akuity.io/refresh": "now" };
    const asked = { ...warehouse, metadata: { ...warehouse.metadata, annotations } };
    expect(enqueued(asked)).toEqual([ref]);
    expect(enqueued(asked)).toEqual([]);
    expect(enqueued({ ...asked, metadata: { ...asked.metadata, generation: 2 } })).toEqual([ref]);
  });
});
