import { describe, expect, it } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { housekeepingSettingsFrom, keepHouse } from "#core/housekeeping.ts";
import type { Resource } from "#core/resources/resource.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";

const day = 24 * 60 * 60_000;
const end = new Date("2030-06-01T00:00:00Z");
const apiVersion = "kargo.akuity.io/v1alpha1";

/** A store with a stage and promotions to it, "0" the newest and each a day older than the one before it. */
async function withPromotions(phases: string[]): Promise<Store> {
  const clock = { now: end };
  const store = await openSqliteStore({
    file: ":memory:",
    cipher: createCipher(Buffer.alloc(32)),
    now: () => clock.now,
  });
  const create = (resource: object) => store.write([{ op: "create", resource: resource as Resource }]);
  for (const at of phases.keys().toArray().reverse()) {
    clock.now = new Date(end.getTime() - at * day);
    const metadata = { name: `${at}`, namespace: "demo" };
    const spec = { stage: "test", freight: `f${at}` };
    await create({ apiVersion, kind: "Promotion", metadata, spec, status: { phase: phases[at] } });
    await create({
      apiVersion,
      kind: "Freight",
      metadata: { name: `f${at}`, namespace: "demo" },
      origin: { kind: "Warehouse", name: "shop" },
      discoveredAt: clock.now.toISOString(),
    });
  }
  clock.now = end;
  await create({ apiVersion, kind: "Stage", metadata: { name: "test", namespace: "demo" }, spec: {} });
  await create({ apiVersion, kind: "Warehouse", metadata: { name: "shop", namespace: "demo" }, spec: {} });
  return store;
}

const names = async (store: Store, kind: string) =>
  (await store.list({ kind }))
    .map(({ metadata }) => metadata.name)
    .sort()
    .join(" ");

const done = (count: number) => Array.from({ length: count }, () => "Succeeded");

describe("housekeeping", () => {
  it.each([
    { phases: done(6), left: "0 1", freight: "f0 f1 f2" },
    { phases: [...done(2), "Running", ...done(4)], left: "0 1 2 3 4", freight: "f0 f1 f2 f3 f4 f5" },
    { phases: [...done(3), "", ...done(3)], left: "0 1 2 3 4 5", freight: "f0 f1 f2 f3 f4 f5 f6" },
    { phases: [...done(1), "Failed", "Errored", "Aborted"], left: "0 1", freight: "f0 f1 f2" },
  ])("of $phases keeps $left", async ({ phases, left, freight }) => {
    const store = await withPromotions(phases);
    await keepHouse({
      store,
      promotions: { maxRetained: 2, minAgeMs: 0 },
      freight: { maxRetained: 3, minAgeMs: 0 },
      now: () => end,
      pruneCaches: async () => {},
      onError: (error) => expect.fail(String(error)),
    });
    expect(await names(store, "Promotion")).toBe(left);
    expect(await names(store, "Freight")).toBe(freight);
  });

  it("keeps what is young", async () => {
    const store = await withPromotions(done(6));
    const settings = { maxRetained: 2, minAgeMs: 4 * day };
    await keepHouse({
      store,
      promotions: settings,
      freight: settings,
      now: () => end,
      pruneCaches: async () => {},
      onError: () => undefined,
    });
    expect(await names(store, "Promotion")).toBe("0 1 2 3");
    expect(await names(store, "Freight")).toBe("f0 f1 f2 f3");
  });

  it("tells what it could not do and goes on", async () => {
    const store = await withPromotions(done(6));
    const write = store.write.bind(store);
    const failing: Store = Object.create(store, {
      write: {
        value: (writes: Parameters<Store["write"]>[0]) => {
          const [first] = writes;
          const isPromotion = first?.op === "delete" && first.ref.kind === "Promotion";
          return isPromotion ? Promise.reject(new Error("disk full")) : write(writes);
        },
      },
    });
    const errors: unknown[] = [];
    const settings = { maxRetained: 2, minAgeMs: 0 };
    const onError = (error: unknown) => errors.push(error);
    let pruned = 0;
    const pruneCaches = async () => {
      pruned += 1;
    };
    await keepHouse({
      store: failing,
      promotions: settings,
      freight: settings,
      now: () => end,
      pruneCaches,
      onError,
    });
    expect(errors).toHaveLength(1);
    expect(pruned).toBe(1);
    expect(await names(store, "Freight")).toBe("f0 f1");
  });
});

describe("the settings of housekeeping", () => {
  const usual = { maxRetained: 20, minAgeMs: 14 * day };
  it.each([
    { env: {}, gives: { freight: usual, promotions: usual } },
    {
      env: { MAX_RETAINED_FREIGHT: "5", MIN_PROMOTION_DELETION_AGE: "24h" },
      gives: { freight: { ...usual, maxRetained: 5 }, promotions: { ...usual, minAgeMs: day } },
    },
  ])("of $env", ({ env, gives }) => {
    expect(housekeepingSettingsFrom(env)).toEqual(gives);
  });

  it.each([{ MAX_RETAINED_FREIGHT: "many" }, { MIN_PROMOTION_DELETION_AGE: "2 weeks" }])(
    "%j are refused",
    (env) => {
      expect(() => housekeepingSettingsFrom(env)).toThrow(`Cannot use ${Object.keys(env)[0]}`);
    },
  );
});
