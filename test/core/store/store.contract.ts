import { describe, expect, it, vi } from "vitest";
import type { Resource } from "#core/resources/resource.ts";
import {
  AlreadyExistsError,
  ConflictError,
  type ListQuery,
  type LogLine,
  NotFoundError,
  type ResourceChange,
  type Store,
  TakenError,
} from "#core/store/store.ts";

export interface StoreUnderTest {
  store: Store;
  /** Opens what `store` keeps anew; undefined where nothing is kept. */
  reopen?: () => Promise<Store>;
}

const stage = (
  name: string,
  extra: Partial<Resource> & { labels?: Record<string, string> } = {},
): Resource => {
  const { labels, ...rest } = extra;
  return {
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "Stage",
    metadata: { name, namespace: "shop", ...(labels ? { labels } : {}) },
    spec: {},
    ...rest,
  };
};

const promotion = (name: string, stageName: string, phase?: string): Resource => ({
  apiVersion: "kargo.akuity.io/v1alpha1",
  kind: "Promotion",
  metadata: { name, namespace: "shop" },
  spec: { stage: stageName },
  ...(phase === undefined ? {} : { status: { phase } }),
});

const ref = (name: string, kind = "Stage") => ({ kind, project: "shop", name });

/** What every store must do. `open` gives a new and empty one each time. */
export function storeContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const opened = async () => (await open()).store;

  async function withStage(extra?: Parameters<typeof stage>[1]) {
    const store = await opened();
    const [created] = await store.write([{ op: "create", resource: stage("test", extra) }]);
    return { store, created: created as Resource };
  }

  describe(`${name}: resources`, () => {
    it("gives a created resource its uid, generation, version and time of creation", async () => {
      const { store, created } = await withStage();
      expect(created.metadata).toMatchObject({
        name: "test",
        namespace: "shop",
        uid: expect.stringMatching(/^[0-9a-f-]{36}$/),
        generation: 1,
        resourceVersion: expect.stringMatching(/^\d+$/),
        creationTimestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      });
      expect(await store.get(ref("test"))).toEqual(created);
    });

    it("finds nothing under another kind, project or name", async () => {
      const { store } = await withStage();
      for (const other of [ref("test", "Warehouse"), { ...ref("test"), project: "other" }, ref("prod")]) {
        expect(await store.get(other)).toBeUndefined();
      }
      expect(await store.get({ kind: "Stage", name: "test" })).toBeUndefined();
    });

    it("keeps resources of no project apart from those of a project", async () => {
      const store = await opened();
      const resource: Resource = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
      await store.write([{ op: "create", resource }]);
      const found = await store.get({ kind: "Namespace", name: "shop" });
      expect(found?.metadata).not.toHaveProperty("namespace");
    });

    it("hands out copies: changing one changes nothing that is stored", async () => {
      const { store, created } = await withStage({ spec: { vars: [] } });
      created.metadata.name = "changed";
      (created.spec as { vars: unknown[] }).vars.push("changed");
      expect((await store.get(ref("test")))?.spec).toEqual({ vars: [] });
    });

    it("creates no second resource of the same name", async () => {
      const { store } = await withStage();
      await expect(store.write([{ op: "create", resource: stage("test") }])).rejects.toThrow(
        AlreadyExistsError,
      );
    });

    it("gives a resource that is created again another uid", async () => {
      const { store, created } = await withStage();
      await store.write([{ op: "delete", ref: ref("test") }]);
      const [again] = await store.write([{ op: "create", resource: stage("test") }]);
      expect(again?.metadata.uid).not.toBe(created.metadata.uid);
      expect(again?.metadata.resourceVersion).not.toBe(created.metadata.resourceVersion);
    });

    it.each([
      { change: "spec", edit: { spec: { shard: "x" } }, generation: 2 },
      { change: "a field beside spec", edit: { alias: "happy-otter" }, generation: 2 },
      {
        change: "labels",
        edit: { metadata: { name: "test", namespace: "shop", labels: { a: "b" } } },
        generation: 1,
      },
      {
        change: "annotations",
        edit: { metadata: { name: "test", namespace: "shop", annotations: { a: "b" } } },
        generation: 1,
      },
    ])(
      "an update of $change leaves generation $generation and keeps status, uid and creation",
      async (row) => {
        const { store, created } = await withStage({ status: { phase: "Steady" } });
        const [updated] = await store.write([
          { op: "update", resource: { ...stage("test"), ...row.edit } as Resource },
        ]);
        expect(updated?.metadata.generation).toBe(row.generation);
        expect(updated?.metadata.resourceVersion).not.toBe(created.metadata.resourceVersion);
        expect(updated?.status).toEqual({ phase: "Steady" });
        expect(updated?.metadata.uid).toBe(created.metadata.uid);
        expect(updated?.metadata.creationTimestamp).toBe(created.metadata.creationTimestamp);
      },
    );

    it("an update that changes nothing is no change", async () => {
      const { store, created } = await withStage({ spec: { a: 1, b: 2 } });
      const seen: ResourceChange[] = [];
      store.watch((change) => seen.push(change));
      const [updated] = await store.write([
        { op: "update", resource: stage("test", { spec: { b: 2, a: 1 } }) },
      ]);
      await store.write([{ op: "status", ref: ref("test"), status: undefined }]);
      expect(updated).toEqual(created);
      expect(seen).toEqual([]);
    });

    it("a new status changes the version and nothing else", async () => {
      const { store, created } = await withStage();
      const [written] = await store.write([
        { op: "status", ref: ref("test"), status: { phase: "Promoting" } },
      ]);
      const { resourceVersion } = (written as Resource).metadata;
      expect(resourceVersion).not.toBe(created.metadata.resourceVersion);
      expect(written).toEqual({
        ...created,
        metadata: { ...created.metadata, resourceVersion },
        status: { phase: "Promoting" },
      });
    });

    it("refuses writes that are based on an older version", async () => {
      const { store, created } = await withStage();
      await store.write([{ op: "status", ref: ref("test"), status: { phase: "Promoting" } }]);
      const { resourceVersion } = created.metadata;
      await expect(
        store.write([{ op: "update", resource: { ...created, spec: { shard: "x" } } }]),
      ).rejects.toThrow(ConflictError);
      await expect(
        store.write([{ op: "status", ref: ref("test"), status: {}, resourceVersion }]),
      ).rejects.toThrow(ConflictError);
    });

    it("keeps a label's value to one of the kind in a project, and leaves nothing of a batch that breaks it", async () => {
      const store = await opened();
      const add = (name: string, extra: Parameters<typeof stage>[1], kind = "Stage", project = "shop") => {
        const resource = stage(name, extra);
        resource.kind = kind;
        resource.metadata.namespace = project;
        const own = { kind, project, name };
        return store.write([
          { op: "create", resource },
          { op: "unique", ref: own, label: "alias" },
        ]);
      };
      await add("one", { labels: { alias: "a" } });
      await add("two", { labels: { alias: "b", other: "a" } });
      await add("three", {});
      await add("four", {});
      await add("elsewhere", { labels: { alias: "a" } }, "Stage", "other");
      await add("freight", { labels: { alias: "a" } }, "Freight");
      await expect(add("five", { labels: { alias: "a" } })).rejects.toThrow(TakenError);
      expect(await store.get(ref("five"))).toBeUndefined();
      const all = await Promise.allSettled(
        [6, 7, 8].map((n) => add(`stage-${n}`, { labels: { alias: "c" } })),
      );
      expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
    });

    it.each([
      { op: "update", write: { op: "update", resource: stage("nowhere") } },
      { op: "status", write: { op: "status", ref: ref("nowhere"), status: {} } },
      { op: "delete", write: { op: "delete", ref: ref("nowhere") } },
    ] as const)("$op of what is not there fails and names it", async ({ write }) => {
      const failing = (await opened()).write([write]);
      await expect(failing).rejects.toThrow(NotFoundError);
      await expect(failing).rejects.toThrow('Stage "shop/nowhere"');
    });

    it("performs all writes of a batch or none", async () => {
      const store = await opened();
      const seen: ResourceChange[] = [];
      store.watch((change) => seen.push(change));
      await expect(
        store.write([
          { op: "create", resource: stage("test") },
          { op: "due", key: ref("test"), at: 1 },
          { op: "journal", scope: "s", key: "k", value: 1 },
          { op: "delete", ref: ref("nowhere") },
        ]),
      ).rejects.toThrow(NotFoundError);
      expect(await store.list({ kind: "Stage" })).toEqual([]);
      expect(await store.due(10)).toEqual([]);
      expect(await store.journal("s", "k")).toBeUndefined();
      expect(seen).toEqual([]);
    });

    it("returns what each write stored, in the order of the writes", async () => {
      const store = await opened();
      const written = await store.write([
        { op: "create", resource: stage("test") },
        { op: "due", key: ref("test"), at: 1 },
        { op: "status", ref: ref("test"), status: { phase: "Steady" } },
      ]);
      expect(written.map((resource) => resource?.status)).toEqual([
        undefined,
        undefined,
        { phase: "Steady" },
      ]);
      expect(written[1]).toBeUndefined();
    });
  });

  describe(`${name}: lists`, () => {
    async function withPromotions() {
      const store = await opened();
      await store.write([
        { op: "create", resource: promotion("c", "test", "Succeeded") },
        { op: "create", resource: promotion("a", "test", "Running") },
        { op: "create", resource: promotion("b", "prod") },
        {
          op: "create",
          resource: { ...promotion("d", "test"), metadata: { name: "d", namespace: "other" } },
        },
        { op: "create", resource: stage("test", { labels: { tier: "one", team: "x" } }) },
        { op: "create", resource: stage("prod", { labels: { tier: "one" } }) },
      ]);
      return store;
    }

    it.each<{ of: string; query: ListQuery; names: string[] }>([
      { of: "a kind", query: { kind: "Promotion" }, names: ["c", "a", "b", "d"] },
      { of: "a project", query: { kind: "Promotion", project: "shop" }, names: ["c", "a", "b"] },
      { of: "the newest", query: { kind: "Promotion", project: "shop", limit: 2 }, names: ["b", "a"] },
      {
        of: "a field",
        query: { kind: "Promotion", where: { "spec.stage": ["test"] } },
        names: ["c", "a", "d"],
      },
      {
        of: "two fields",
        query: { kind: "Promotion", where: { "spec.stage": ["test"], "status.phase": ["Running"] } },
        names: ["a"],
      },
      {
        of: "a field that may be absent",
        query: { kind: "Promotion", where: { "status.phase": [null, "Running"] } },
        names: ["a", "b", "d"],
      },
      { of: "no value at all", query: { kind: "Promotion", where: { "status.phase": [] } }, names: [] },
      { of: "a name", query: { kind: "Promotion", where: { "metadata.name": ["a"] } }, names: ["a"] },
      { of: "a label", query: { kind: "Stage", labels: { tier: "one" } }, names: ["test", "prod"] },
      { of: "two labels", query: { kind: "Stage", labels: { tier: "one", team: "x" } }, names: ["test"] },
      { of: "nothing", query: { kind: "Warehouse" }, names: [] },
      { of: "an odd kind", query: { kind: "Stage' or '1'='1" }, names: [] },
    ])("lists by $of in the order of creation", async ({ query, names }) => {
      const listed = await (await withPromotions()).list(query);
      expect(listed.map(({ metadata }) => metadata.name)).toEqual(names);
    });

    it("lists by the labels that a resource has now", async () => {
      const store = await withPromotions();
      await store.write([{ op: "update", resource: stage("test", { labels: { tier: "two" } }) }]);
      const names = async (tier: string) =>
        (await store.list({ kind: "Stage", labels: { tier } })).map(({ metadata }) => metadata.name);
      expect(await names("one")).toEqual(["prod"]);
      expect(await names("two")).toEqual(["test"]);
    });

    it("refuses a path that is none", async () => {
      const store = await opened();
      await expect(store.list({ kind: "Stage", where: { "spec.x') --": ["a"] } })).rejects.toThrow(
        "Cannot list by",
      );
    });
  });

  describe(`${name}: watching`, () => {
    it("tells of each change once it is stored, in order, until the watch ends", async () => {
      const store = await opened();
      const seen: string[] = [];
      const end = store.watch(({ type, resource }) => seen.push(`${type} ${resource.metadata.name}`));
      await store.write([
        { op: "create", resource: stage("test") },
        { op: "create", resource: stage("prod") },
      ]);
      await store.write([{ op: "status", ref: ref("test"), status: { phase: "Steady" } }]);
      await store.write([{ op: "delete", ref: ref("test") }]);
      end();
      await store.write([{ op: "delete", ref: ref("prod") }]);
      expect(seen).toEqual(["ADDED test", "ADDED prod", "MODIFIED test", "DELETED test"]);
    });

    it("tells every watcher of the first change before any of one that it caused", async () => {
      const store = await opened();
      const seen: string[] = [];
      store.watch(({ resource }) => {
        if (resource.metadata.name === "first")
          void store.write([{ op: "create", resource: stage("second") }]);
      });
      store.watch(({ resource }) => seen.push(resource.metadata.name));
      await store.write([{ op: "create", resource: stage("first") }]);
      await vi.waitFor(() => expect(seen).toEqual(["first", "second"]));
    });
  });

  describe(`${name}: secrets`, () => {
    const secret: Resource & Record<string, unknown> = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "repo", namespace: "shop", annotations: { note: "kept" } },
      data: { password: "czNjcjN0" },
      stringData: { username: "barge" },
    };

    it("gives a secret's values back, and sees that an equal one is no change", async () => {
      const store = await opened();
      const [created] = await store.write([{ op: "create", resource: secret }]);
      expect(await store.get(ref("repo", "Secret"))).toMatchObject(secret);
      expect(await store.write([{ op: "update", resource: secret }])).toEqual([created]);
    });

    it("drops the copy of the values that a client may have left in an annotation", async () => {
      const store = await opened();
      const annotations = { note: "kept", "kubectl.kubernetes.io/last-applied-configuration": "{}" };
      const [created] = await store.write([
        { op: "create", resource: { ...secret, metadata: { ...secret.metadata, annotations } } },
      ]);
      expect(created?.metadata.annotations).toEqual({ note: "kept" });
    });
  });

  describe(`${name}: events, journal and due times`, () => {
    const event = (message: string, name = "test", project = "shop") => ({
      op: "event" as const,
      event: {
        at: "2030-01-02T03:04:05Z",
        project,
        type: "Normal" as const,
        reason: "Tested",
        message,
        regarding: { kind: "Stage", project, name },
      },
    });

    it("tells events oldest first: all, the newest, those after one, of one resource, of one project", async () => {
      const store = await opened();
      await store.write([event("1"), event("2", "prod"), event("3"), event("4", "test", "other")]);
      const messages = async (query: Parameters<Store["events"]>[0]) =>
        (await store.events(query)).map(({ message }) => message);
      const [first] = await store.events({});
      expect(await messages({})).toEqual(["1", "2", "3", "4"]);
      expect(await messages({ limit: 2 })).toEqual(["3", "4"]);
      expect(await messages({ after: first?.id, limit: 2 })).toEqual(["2", "3"]);
      expect(await messages({ regarding: ref("test") })).toEqual(["1", "3"]);
      expect(await messages({ project: "other" })).toEqual(["4"]);
    });

    it("keeps the audit log apart from events, in the order in which it was written", async () => {
      const store = await opened();
      const entry = (action: string, project = "shop") => ({
        op: "audit" as const,
        entry: { at: "2030-01-02T03:04:05Z", project, action, actor: "admin", regarding: ref("test") },
      });
      await store.write([entry("One"), event("1"), entry("Two"), entry("Three", "other")]);
      const actions = async (query: Parameters<Store["audit"]>[0]) =>
        (await store.audit(query)).map(({ action }) => action);
      const [first] = await store.audit({});
      expect(first).toMatchObject({ action: "One", actor: "admin", regarding: ref("test") });
      expect(await actions({})).toEqual(["One", "Two", "Three"]);
      expect(await actions({ limit: 2 })).toEqual(["Two", "Three"]);
      expect(await actions({ after: first?.id, project: "shop" })).toEqual(["Two"]);
      await expect(
        store.write([entry("Lost"), { op: "status", ref: ref("none"), status: {} }]),
      ).rejects.toThrow();
      expect(await actions({ project: "shop" })).toEqual(["One", "Two"]);
    });

    it("tells a journalled undefined from nothing, and the last value of a key wins", async () => {
      const store = await opened();
      await store.write([
        { op: "journal", scope: "p", key: "nothing", value: undefined },
        { op: "journal", scope: "p", key: "pushed", value: { commit: "abc" } },
      ]);
      await store.write([{ op: "journal", scope: "p", key: "pushed", value: { commit: "def" } }]);
      expect(await store.journal("p", "nothing")).toEqual({ value: undefined });
      expect(await store.journal("p", "pushed")).toEqual({ value: { commit: "def" } });
      expect(await store.journal("p", "other")).toBeUndefined();
      expect(await store.journal("q", "pushed")).toBeUndefined();
    });

    it("forgets a scope with what is below it, and no other", async () => {
      const store = await opened();
      await store.write(
        ["p", "p/step-1", "p/step-1/x", "p-2", "p0"].map((scope) => ({
          op: "journal",
          scope,
          key: "k",
          value: 1,
        })),
      );
      await store.forgetJournal("p");
      const left = [];
      for (const scope of ["p", "p/step-1", "p/step-1/x", "p-2", "p0"]) {
        if (await store.journal(scope, "k")) left.push(scope);
      }
      expect(left).toEqual(["p-2", "p0"]);
    });

    it("keeps one due time for each key, earliest first", async () => {
      const store = await opened();
      await store.write([
        { op: "due", key: ref("late"), at: 300 },
        { op: "due", key: ref("moved"), at: 100 },
        { op: "due", key: { kind: "ClusterConfig", name: "cluster" }, at: 200 },
        { op: "due", key: ref("cleared"), at: 100 },
      ]);
      await store.write([
        { op: "due", key: ref("moved"), at: 250 },
        { op: "due", key: ref("cleared"), at: undefined },
      ]);
      expect(await store.due(299)).toEqual([
        { key: { kind: "ClusterConfig", name: "cluster" }, at: 200 },
        { key: ref("moved"), at: 250 },
      ]);
      expect(await store.due(Number.POSITIVE_INFINITY)).toHaveLength(3);
    });

    it("forgets with a resource its due time, its journal and a promotion's logs", async () => {
      const store = await opened();
      const [created] = await store.write([{ op: "create", resource: promotion("p", "test") }]);
      const scope = `${created?.metadata.uid}/step-1`;
      const log = { project: "shop", promotion: "p", step: "step-1" };
      await store.write([
        { op: "journal", scope, key: "k", value: 1 },
        { op: "due", key: ref("p", "Promotion"), at: 1 },
      ]);
      await store.appendLog(log, [{ at: "2030-01-02T03:04:05.678Z", stream: "stdout", text: "hello" }]);
      await store.write([{ op: "delete", ref: ref("p", "Promotion") }]);
      expect(await store.journal(scope, "k")).toBeUndefined();
      expect(await store.due(10)).toEqual([]);
      expect(await store.readLog(log, 0)).toEqual([]);
    });
  });

  describe(`${name}: logs`, () => {
    const key = { project: "shop", promotion: "p", step: "step-1" };
    const lines = (...texts: string[]): LogLine[] =>
      texts.map((text) => ({ at: "2030-01-02T03:04:05.678Z", stream: "stdout", text }));

    it("reads lines from any number on", async () => {
      const store = await opened();
      await store.appendLog(key, lines("zero", "one"));
      await store.appendLog(key, lines("two"));
      expect(await store.readLog(key, 0)).toEqual(lines("zero", "one", "two"));
      expect(await store.readLog(key, 1, 1)).toEqual(lines("one"));
      expect(await store.readLog(key, 3)).toEqual([]);
      expect(await store.readLog({ ...key, step: "step-2" }, 0)).toEqual([]);
    });

    it("tells those who watch a log that it grew", async () => {
      const store = await opened();
      let told = 0;
      const end = store.watchLog(key, () => {
        told += 1;
      });
      await store.appendLog(key, lines("a"));
      await store.appendLog({ ...key, step: "step-2" }, lines("b"));
      end();
      await store.appendLog(key, lines("c"));
      expect(told).toBe(1);
    });
  });

  describe(`${name}: lasting`, () => {
    it("has everything again after it is opened anew", async (test) => {
      const { store, reopen } = await open();
      if (reopen === undefined) return test.skip("this store keeps nothing");
      const key = { project: "shop", promotion: "p", step: "step-1" };
      const [created] = await store.write([
        { op: "create", resource: stage("test", { labels: { a: "b" }, status: { phase: "Steady" } }) },
        { op: "journal", scope: "p", key: "k", value: [1] },
        { op: "due", key: ref("test"), at: 5 },
      ]);
      await store.appendLog(key, [{ at: "2030-01-02T03:04:05.678Z", stream: "stderr", text: "hello" }]);
      await store.close();
      const again = await reopen();
      expect(await again.list({ kind: "Stage", labels: { a: "b" } })).toEqual([created]);
      expect(await again.journal("p", "k")).toEqual({ value: [1] });
      expect(await again.due(5)).toEqual([{ key: ref("test"), at: 5 }]);
      expect(await again.readLog(key, 0)).toMatchObject([{ text: "hello" }]);
      const [next] = await again.write([{ op: "status", ref: ref("test"), status: {} }]);
      expect(next?.metadata.resourceVersion).not.toBe(created?.metadata.resourceVersion);
    });
  });
}
