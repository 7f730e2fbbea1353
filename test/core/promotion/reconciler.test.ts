import { rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { createGates } from "#core/promotion/gates.ts";
import { createPromotionReconciler } from "#core/promotion/reconciler.ts";
import type { PromotionServices } from "#core/promotion/services.ts";
import { createWorkFolders } from "#core/promotion/work-folders.ts";
import type { Promotion, PromotionStep } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Runner } from "#core/runner.ts";
import { skipped, succeeded, waiting } from "#core/step.ts";
import type { Store } from "#core/store/store.ts";
import { openTestStore, type TestKind, testClock, testFolder, testServices } from "./support.ts";

const apiVersion = "kargo.akuity.io/v1alpha1";
const never = new AbortController().signal;
const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

async function daemon(
  kinds: Record<string, TestKind>,
  options: Partial<PromotionServices> & { store?: Store } = {},
) {
  const clock = testClock();
  const store = options.store ?? (await openTestStore(":memory:", clock.now));
  const root = await testFolder();
  const reconciler = createPromotionReconciler({
    ...(await testServices(store, kinds, { now: clock.now })),
    folders: createWorkFolders(root),
    isFreightAvailable: () => true,
    uiBaseUrl: "https://towpath.example.com",
    onError: (error) => {
      throw error;
    },
    ...options,
    store,
  });
  open.push(reconciler);
  const get = async (name: string) =>
    (await store.get({ kind: "Promotion", project: "shop", name })) as Promotion;
  return {
    store,
    root,
    clock,
    reconciler,
    get,
    reconcile: (name: string, signal = never) =>
      reconciler.reconcile({ kind: "Promotion", project: "shop", name }, signal),
  };
}

async function create(store: Store, resource: object): Promise<Resource> {
  const [created] = await store.write([{ op: "create", resource: { apiVersion, ...resource } as Resource }]);
  return created as Resource;
}

const freight = {
  name: "abc",
  origin: { kind: "Warehouse", name: "main" },
  images: [{ repoURL: "r", tag: "1" }],
};

/** A stage whose turn is the promotion's, a piece of freight and the promotion itself. */
async function stock(
  store: Store,
  steps: PromotionStep[],
  more: { name?: string; annotations?: Record<string, string> } = {},
) {
  const { name = "test.01.abc", annotations } = more;
  await create(store, {
    kind: "Stage",
    metadata: { name: "test", namespace: "shop" },
    spec: { requestedFreight: [{ origin: freight.origin, sources: { direct: true } }] },
    status: { currentPromotion: { name } },
  });
  await create(store, {
    kind: "Freight",
    metadata: { name: "abc", namespace: "shop" },
    alias: "wild-otter",
    origin: freight.origin,
    images: freight.images,
  });
  await add(store, steps, name, annotations);
}

async function add(store: Store, steps: PromotionStep[], name: string, annotations?: Record<string, string>) {
  await create(store, {
    kind: "Promotion",
    metadata: { name, namespace: "shop", annotations },
    spec: {
      stage: "test",
      freight: "abc",
      steps: steps.map((step, i) => ({ as: `step-${i + 1}`, ...step })),
    },
  });
}

async function annotate(store: Store, kind: string, name: string, annotations: Record<string, string>) {
  const resource = (await store.get({ kind, project: "shop", name })) as Resource;
  resource.metadata.annotations = { ...resource.metadata.annotations, ...annotations };
  await store.write([{ op: "update", resource }]);
}

async function giveTurn(store: Store, name: string) {
  await store.write([
    {
      op: "status",
      ref: { kind: "Stage", project: "shop", name: "test" },
      status: { currentPromotion: { name } },
    },
  ]);
}

const reasons = async (store: Store) => (await store.events({ project: "shop" })).map(({ reason }) => reason);
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

describe("a promotion", () => {
  it("whose turn it is runs, with its freight, and leaves nothing but its record", async () => {
    let workspace = "";
    const { store, reconcile, get, root } = await daemon({
      looks: async ({ workspace: folder, freight, targetFreightAlias, freightRequests }) => {
        workspace = folder;
        expect(await exists(folder)).toBe(true);
        return succeeded({
          names: freight.map(({ name }) => name),
          targetFreightAlias,
          requests: freightRequests.length,
        });
      },
    });
    await stock(store, [{ uses: "looks" }], {
      annotations: { "kargo.akuity.io/create-actor": "email:jo@example.com" },
    });
    expect(await reconcile("test.01.abc")).toBeUndefined();
    const { status, metadata } = await get("test.01.abc");
    expect(status).toMatchObject({
      phase: "Succeeded",
      freight,
      freightCollection: { items: { "Warehouse/main": freight } },
      startedAt: "2030-01-02T03:04:05.000Z",
      finishedAt: "2030-01-02T03:04:05.000Z",
      state: { "step-1": { names: ["abc"], targetFreightAlias: "wild-otter", requests: 1 } },
    });
    expect(status?.freightCollection?.id).toMatch(/^[0-9a-f]{40}$/);
    expect(workspace).toBe(join(root, metadata.uid as string));
    expect(await exists(workspace)).toBe(false);
    const [event] = await store.events({ project: "shop" });
    expect(event).toMatchObject({
      reason: "PromotionSucceeded",
      type: "Normal",
      message: "Promotion Succeeded",
      annotations: {
        "event.kargo.akuity.io/actor": "email:jo@example.com",
        "event.kargo.akuity.io/freight-alias": "wild-otter",
        "event.kargo.akuity.io/stage-name": "test",
      },
    });
  });

  it("whose turn it is not is Pending", async () => {
    const { store, reconcile, get } = await daemon({ good: () => succeeded() });
    await stock(store, [{ uses: "good" }]);
    await add(store, [{ uses: "good" }], "test.02.abc");
    await reconcile("test.02.abc");
    expect((await get("test.02.abc")).status).toEqual({ phase: "Pending" });
    await giveTurn(store, "test.02.abc");
    await reconcile("test.02.abc");
    expect((await get("test.02.abc")).status?.phase).toBe("Succeeded");
  });

  it("does not start while another of its stage runs, whatever the stage says", async () => {
    const { store, reconcile, get } = await daemon({ waits: () => waiting("", 5), good: () => succeeded() });
    await stock(store, [{ uses: "waits" }]);
    await add(store, [{ uses: "good" }], "test.02.abc");
    expect(await reconcile("test.01.abc")).toEqual({ requeueAfterSeconds: 5 });
    await giveTurn(store, "test.02.abc");
    expect(await reconcile("test.02.abc")).toEqual({ requeueAfterSeconds: 5 });
    expect((await get("test.02.abc")).status).toEqual({ phase: "Pending" });
  });

  it("that is over is left alone", async () => {
    let calls = 0;
    const { store, reconcile } = await daemon({
      counts: () => {
        calls += 1;
        return succeeded();
      },
    });
    await stock(store, [{ uses: "counts" }]);
    await reconcile("test.01.abc");
    await reconcile("test.01.abc");
    expect(calls).toBe(1);
  });

  it("that waits for nothing but news asks for no other visit", async () => {
    const { store, reconcile } = await daemon({ waits: () => waiting("", Infinity) });
    await stock(store, [{ uses: "waits" }]);
    expect(await reconcile("test.01.abc")).toBeUndefined();
  });

  it("inherits freight of other origins from the last promotion", async () => {
    const other = { name: "def", origin: { kind: "Warehouse", name: "charts" }, charts: [] };
    const gone = { name: "old", origin: { kind: "Warehouse", name: "gone" } };
    const { store, reconcile, get } = await daemon({ good: () => succeeded() });
    await stock(store, [{ uses: "good" }]);
    const stage = (await store.get({ kind: "Stage", project: "shop", name: "test" })) as Resource;
    stage.spec = {
      requestedFreight: [freight, other].map(({ origin }) => ({ origin, sources: { direct: true } })),
    };
    const items = { "Warehouse/charts": other, "Warehouse/gone": gone };
    await store.write([
      { op: "update", resource: stage },
      {
        op: "status",
        ref: { kind: "Stage", project: "shop", name: "test" },
        status: {
          currentPromotion: { name: "test.01.abc" },
          lastPromotion: { name: "x", status: { freightCollection: { id: "1", items } } },
        },
      },
    ]);
    await reconcile("test.01.abc");
    expect((await get("test.01.abc")).status?.freightCollection?.items).toEqual({
      "Warehouse/main": freight,
      "Warehouse/charts": other,
    });
  });

  it.each([
    {
      title: "whose freight is gone",
      prepare: (store: Store) =>
        store.write([{ op: "delete", ref: { kind: "Freight", project: "shop", name: "abc" } }]),
      options: {},
      says: 'Freight "abc" not found in namespace "shop"',
    },
    {
      title: "whose stage may not take the freight",
      prepare: async () => undefined,
      options: { isFreightAvailable: () => false },
      says: 'Freight "abc" is not available to Stage "test" in namespace "shop"',
    },
  ])("$title is Errored", async ({ prepare, options, says }) => {
    const { store, reconcile, get } = await daemon({ good: () => succeeded() }, options);
    await stock(store, [{ uses: "good" }]);
    await prepare(store);
    await reconcile("test.01.abc");
    expect((await get("test.01.abc")).status).toMatchObject({ phase: "Errored", message: says });
    expect(await reasons(store)).toEqual(["PromotionErrored"]);
  });

  it("that was refreshed says which request it answered", async () => {
    const { store, reconcile, get } = await daemon({ waits: () => waiting("", 5) });
    await stock(store, [{ uses: "waits" }], { annotations: { "kargo.akuity.io/refresh": "now" } });
    await reconcile("test.01.abc");
    expect((await get("test.01.abc")).status?.lastHandledRefresh).toBe("now");
  });

  it("of freight that the stage holds and has verified has it verified again", async () => {
    const { store, reconcile } = await daemon({ good: () => succeeded() });
    await stock(store, [{ uses: "good" }]);
    const ref = { kind: "Stage", project: "shop", name: "test" };
    const held = { id: "1", items: { "Warehouse/main": freight }, verificationHistory: [{ id: "v1" }] };
    await store.write([
      { op: "status", ref, status: { currentPromotion: { name: "test.01.abc" }, freightHistory: [held] } },
    ]);
    await reconcile("test.01.abc");
    expect((await store.get(ref))?.metadata.annotations).toEqual({
      "kargo.akuity.io/reverify": '{"id":"v1"}',
    });
  });
});

describe("resuming", () => {
  it("finds the working directory and the outputs as they were, secrets in them too", async () => {
    const secret = "s3cr3t-token";
    const kinds: Record<string, TestKind> = {
      waits: () => waiting("", 5),
      "logs-in": ({ config }) => succeeded({ token: config.token }),
      uses: ({ outputs }) => {
        const { token } = outputs.login as { token: string };
        return succeeded({ length: token.length, header: `Bearer ${token}` });
      },
    };
    const first = await daemon(kinds);
    const data = { value: Buffer.from(secret).toString("base64") };
    await create(first.store, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "token", namespace: "shop" },
      data,
    });
    await stock(first.store, [
      { uses: "logs-in", as: "login", config: { token: "${{ secret('token').value }}" } },
      { uses: "waits", as: "wait" },
      { uses: "uses", as: "use" },
    ]);
    await first.reconcile("test.01.abc");
    first.reconciler.close();

    const uid = (await first.get("test.01.abc")).metadata.uid as string;
    const second = await daemon(
      { ...kinds, waits: () => skipped("enough") },
      { store: first.store, folders: createWorkFolders(first.root) },
    );
    expect(JSON.stringify(await second.get("test.01.abc"))).not.toContain(secret);
    await second.reconcile("test.01.abc");
    expect((await second.get("test.01.abc")).status).toMatchObject({
      phase: "Succeeded",
      state: { login: { token: "***" }, use: { length: secret.length, header: "Bearer ***" } },
    });
    expect((await first.store.list({ kind: "Secret" })).map(({ metadata }) => metadata.name)).toEqual([
      "token",
    ]);
    expect(await exists(join(first.root, uid))).toBe(false);
  });

  it("without the working directory ends in an error that says so, and repeats no step", async () => {
    const calls: string[] = [];
    const { store, reconcile, get, root } = await daemon({
      effect: () => {
        calls.push("effect");
        return succeeded();
      },
      waits: () => waiting("", 5),
    });
    await stock(store, [{ uses: "effect" }, { uses: "waits" }, { uses: "effect" }]);
    await reconcile("test.01.abc");
    await rm(join(root, (await get("test.01.abc")).metadata.uid as string), { recursive: true });
    await reconcile("test.01.abc");
    const { status } = await get("test.01.abc");
    expect(status).toMatchObject({
      phase: "Errored",
      message: expect.stringMatching(/working directory ".*" is gone/),
      stepExecutionMetadata: [{ status: "Succeeded" }, { status: "Errored", finishedAt: expect.anything() }],
    });
    expect(calls).toEqual(["effect"]);
  });

  it("takes up what the daemon left and clears away what nobody needs", async () => {
    const { store, reconciler, root, reconcile } = await daemon({ waits: () => waiting("", 5) });
    await stock(store, [{ uses: "waits" }]);
    await add(store, [{ uses: "waits" }], "test.02.abc");
    await reconcile("test.01.abc");
    await createWorkFolders(root).make("of-a-promotion-that-is-over");
    expect((await reconciler.initial?.())?.map(({ name }) => name)).toEqual(["test.01.abc", "test.02.abc"]);
    expect(await exists(join(root, "of-a-promotion-that-is-over"))).toBe(false);
  });

  it("leaves a step that the daemon's end interrupted for the next daemon", async () => {
    const stopping = new AbortController();
    let attempts = 0;
    const { store, reconcile, get } = await daemon({
      slow: (_, { signal }) => {
        attempts += 1;
        if (attempts > 1) return succeeded();
        stopping.abort(new Error("stopping"));
        return Promise.reject(signal.reason);
      },
    });
    await stock(store, [{ uses: "slow" }]);
    expect(await reconcile("test.01.abc", stopping.signal)).toEqual({ requeueAfterSeconds: 0 });
    expect((await get("test.01.abc")).status?.phase).toBe("Running");
    await reconcile("test.01.abc");
    expect((await get("test.01.abc")).status?.phase).toBe("Succeeded");
    expect(attempts).toBe(2);
  });
});

describe("an abort", () => {
  const terminate = { "kargo.akuity.io/abort": '{"action":"terminate","actor":"email:jo@example.com"}' };

  it("of a queued promotion ends it and nothing else", async () => {
    const { store, reconcile, get } = await daemon({ good: () => succeeded() });
    await stock(store, [{ uses: "good" }]);
    await add(store, [{ uses: "good" }], "test.02.abc");
    await reconcile("test.02.abc");
    await annotate(store, "Promotion", "test.02.abc", terminate);
    await reconcile("test.02.abc");
    const { status } = await get("test.02.abc");
    expect(status).toMatchObject({
      phase: "Aborted",
      message: "Promotion terminated by email:jo@example.com",
    });
    expect(status?.startedAt).toBeUndefined();
    expect(status?.stepExecutionMetadata).toBeUndefined();
    expect(await reasons(store)).toEqual(["PromotionAborted"]);
    await reconcile("test.01.abc");
    expect((await get("test.01.abc")).status?.phase).toBe("Succeeded");
  });

  it("of a promotion that waits marks the step it waited in", async () => {
    const { store, reconcile, get, root } = await daemon({
      good: () => succeeded(),
      waits: () => waiting("", 5),
    });
    await stock(store, [{ uses: "good" }, { uses: "waits" }, { uses: "good" }]);
    await reconcile("test.01.abc");
    await annotate(store, "Promotion", "test.01.abc", { "kargo.akuity.io/abort": "terminate" });
    await reconcile("test.01.abc");
    const { status, metadata } = await get("test.01.abc");
    expect(status).toMatchObject({
      phase: "Aborted",
      message: "Promotion terminated by controller:promotion-controller",
      stepExecutionMetadata: [{ status: "Succeeded" }, { status: "Aborted", finishedAt: expect.anything() }],
    });
    expect(await exists(join(root, metadata.uid as string))).toBe(false);
  });

  it("of a promotion in the middle of a step ends the step's work first", async () => {
    const events: string[] = [];
    const { store, reconcile, get } = await daemon({
      slow: async (_, { signal }) => {
        await annotate(store, "Promotion", "test.01.abc", terminate);
        events.push(signal.aborted ? "told to end" : "not told");
        throw signal.reason;
      },
    });
    await stock(store, [{ uses: "slow" }]);
    expect(await reconcile("test.01.abc")).toBeUndefined();
    expect(events).toEqual(["told to end"]);
    expect((await get("test.01.abc")).status).toMatchObject({
      phase: "Aborted",
      stepExecutionMetadata: [{ status: "Aborted" }],
    });
  });

  it("closes the gates that are open", async () => {
    const { store, reconcile, clock } = await daemon({ waits: () => waiting("", Infinity) });
    await stock(store, [{ uses: "waits" }]);
    await reconcile("test.01.abc");
    const promotion = await store.get({ kind: "Promotion", project: "shop", name: "test.01.abc" });
    const { askGate } = await import("#core/promotion/gates.ts");
    const owner = {
      project: "shop",
      stage: "test",
      promotion: "test.01.abc",
      promotionUid: promotion?.metadata.uid ?? "",
      alias: "step-1",
    };
    await askGate(store, owner, { message: "?" }, clock.now());
    await annotate(store, "Promotion", "test.01.abc", terminate);
    await reconcile("test.01.abc");
    expect(await createGates(store, clock.now).list("shop")).toEqual([]);
  });

  describe("has steps take back what must not stay", () => {
    const open = (takeBack: NonNullable<Runner["takeBack"]>): TestKind => {
      const run = async () => succeeded();
      return { run, takesBack: true, runner: { run, takeBack } };
    };
    const waits = () => waiting("", 5);
    const abort = async ({ store, reconcile }: Awaited<ReturnType<typeof daemon>>, signal?: AbortSignal) => {
      await annotate(store, "Promotion", "test.01.abc", terminate);
      await reconcile("test.01.abc", signal);
    };

    it("the last one first, those alone that had begun, and each item of a loop", async () => {
      const taken: unknown[] = [];
      const one = await daemon({
        waits,
        open: open(async ({ alias, config, outputs }) => {
          taken.push([alias, config, Object.keys(outputs).length > 0]);
        }),
      });
      await stock(one.store, [
        { uses: "open", config: { for: "${{ ctx.stage }}" } },
        { uses: "open", forEach: { items: ["a", "b"] }, config: { for: "${{ vars.item }}" } },
        { uses: "open", if: "${{ false }}" },
        { uses: "waits" },
        { uses: "open" },
      ]);
      await one.reconcile("test.01.abc");
      await abort(one);
      expect(taken).toEqual([
        ["step-2[1]", { for: "b" }, true],
        ["step-2[0]", { for: "a" }, true],
        ["step-1", { for: "test" }, true],
      ]);
      expect((await one.get("test.01.abc")).status?.phase).toBe("Aborted");
    });

    it("and ends all the same when they cannot, which their log tells", async () => {
      const one = await daemon({
        waits,
        open: open(async () => {
          throw new Error("the forge is down");
        }),
      });
      await stock(one.store, [{ uses: "open" }, { uses: "waits" }]);
      await one.reconcile("test.01.abc");
      await abort(one);
      expect((await one.get("test.01.abc")).status?.phase).toBe("Aborted");
      const lines = await one.store.readLog({ project: "shop", promotion: "test.01.abc", step: "step-1" }, 0);
      expect(lines.map(({ text }) => text)).toEqual([expect.stringContaining("the forge is down")]);
    });

    it("again at the next start, when the daemon stops in the middle of it", async () => {
      const stopping = new AbortController();
      let calls = 0;
      const one = await daemon({
        waits,
        open: open(async (_, { signal }) => {
          calls += 1;
          if (calls > 1) return;
          stopping.abort(new Error("stopping"));
          throw signal.reason;
        }),
      });
      await stock(one.store, [{ uses: "open" }, { uses: "waits" }]);
      await one.reconcile("test.01.abc");
      await abort(one, stopping.signal);
      expect((await one.get("test.01.abc")).status?.phase).toBe("Running");
      await one.reconcile("test.01.abc");
      expect((await one.get("test.01.abc")).status?.phase).toBe("Aborted");
      expect(calls).toBe(2);
    });
  });

  it.each(["pause", '{"action":"pause"}', "{}", '"terminate"'])("asked for as %s is none", async (value) => {
    const { store, reconcile, get } = await daemon({ good: () => succeeded() });
    await stock(store, [{ uses: "good" }], { annotations: { "kargo.akuity.io/abort": value } });
    await reconcile("test.01.abc");
    expect((await get("test.01.abc")).status?.phase).toBe("Succeeded");
  });
});

describe("a deleted promotion", () => {
  it("ends in the middle of a step and leaves nothing", async () => {
    const { store, reconcile, root } = await daemon({
      slow: async (_, { signal }) => {
        await store.write([
          { op: "delete", ref: { kind: "Promotion", project: "shop", name: "test.01.abc" } },
        ]);
        signal.throwIfAborted();
        return succeeded();
      },
    });
    await stock(store, [{ uses: "slow" }]);
    expect(await reconcile("test.01.abc")).toBeUndefined();
    await expect.poll(() => createWorkFolders(root).list()).toEqual([]);
  });
});

describe("news", () => {
  const { status: _s, ...promotion } = {
    apiVersion,
    kind: "Promotion",
    metadata: { name: "p", namespace: "shop" },
    spec: { stage: "test" },
    status: undefined,
  };
  const p = { kind: "Promotion", project: "shop", name: "p" };
  const stageWith = (name?: string) => ({
    apiVersion,
    kind: "Stage",
    metadata: { name: "test", namespace: "shop" },
    status: name === undefined ? {} : { currentPromotion: { name } },
  });

  it.each([
    { title: "a new promotion", type: "ADDED", resource: promotion, wakes: [p] },
    {
      title: "what the engine writes",
      type: "MODIFIED",
      resource: { ...promotion, status: { phase: "Running" } },
      wakes: [],
    },
    {
      title: "an abort",
      type: "MODIFIED",
      resource: {
        ...promotion,
        metadata: { ...promotion.metadata, annotations: { "kargo.akuity.io/abort": "terminate" } },
      },
      wakes: [p],
    },
    {
      title: "a refresh",
      type: "MODIFIED",
      resource: {
        ...promotion,
        metadata: { ...promotion.metadata, annotations: { "kargo.akuity.io/refresh": "2" } },
      },
      wakes: [p],
    },
    {
      title: "a refresh that was answered",
      type: "MODIFIED",
      resource: {
        ...promotion,
        metadata: { ...promotion.metadata, annotations: { "kargo.akuity.io/refresh": "2" } },
        status: { lastHandledRefresh: "2" },
      },
      wakes: [],
    },
    {
      title: "a stage whose turn is the promotion's",
      type: "MODIFIED",
      resource: stageWith("p"),
      wakes: [p],
    },
    { title: "a stage without a promotion", type: "MODIFIED", resource: stageWith(), wakes: [] },
    {
      title: "a gate that is open",
      type: "ADDED",
      resource: {
        apiVersion,
        kind: "Gate",
        metadata: { name: "g", namespace: "shop" },
        spec: { promotion: "p" },
      },
      wakes: [],
    },
    {
      title: "a gate that was answered",
      type: "MODIFIED",
      resource: {
        apiVersion,
        kind: "Gate",
        metadata: { name: "g", namespace: "shop" },
        spec: { promotion: "p" },
        status: {},
      },
      wakes: [p],
    },
  ] as const)("$title wakes $wakes", async ({ type, resource, wakes }) => {
    const { reconciler } = await daemon({});
    expect(reconciler.enqueueFor?.({ type, resource: resource as Resource })).toEqual(wakes);
  });

  it("of a stage whose turn has not changed wakes nobody", async () => {
    const { reconciler } = await daemon({});
    const change = { type: "MODIFIED", resource: stageWith("p") as Resource } as const;
    expect(reconciler.enqueueFor?.(change)).toEqual([p]);
    expect(reconciler.enqueueFor?.(change)).toEqual([]);
  });
});
