import { describe, expect, it } from "vitest";
import { deleteOldFreight } from "#core/artifacts/freight-retention.ts";
import { createCipher } from "#core/credentials/cipher.ts";
import type { Resource } from "#core/resources/resource.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";

const warehouse = { kind: "Warehouse", project: "demo", name: "shop" };
const now = new Date("2030-06-01T00:00:00Z");
const day = 24 * 60 * 60_000;

/** Freight "0" to "9" of the Warehouse, "0" found today and each a day older than the one before it. */
async function tenPieces(more: Record<string, unknown>[] = []) {
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)) });
  const freight = (name: string, origin: string, daysAgo: number) => ({
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "Freight",
    metadata: { name, namespace: "demo" },
    origin: { kind: "Warehouse", name: origin },
    discoveredAt: new Date(now.getTime() - daysAgo * day).toISOString(),
  });
  const pieces = Array.from({ length: 10 }, (_, at) => freight(`${at}`, "shop", at));
  const resources = [...pieces, freight("other", "tools", 100), ...more] as unknown as Resource[];
  await store.write(resources.map((resource) => ({ op: "create", resource })));
  const names = async () => {
    const left = await store.list({ kind: "Freight", project: "demo" });
    return left
      .map(({ metadata }) => metadata.name)
      .sort()
      .join(" ");
  };
  return { store, names };
}

const stageWith = (freight: string) => ({
  apiVersion: "kargo.akuity.io/v1alpha1",
  kind: "Stage",
  metadata: { name: "test", namespace: "demo" },
  spec: {},
  status: {
    freightHistory: [
      { id: "a", items: { "Warehouse/shop": { name: freight } } },
      { id: "b", items: { x: { name: "9" } } },
    ],
  },
});
const promotionOf = (freight: string, phase: string) => ({
  apiVersion: "kargo.akuity.io/v1alpha1",
  kind: "Promotion",
  metadata: { name: "p", namespace: "demo" },
  spec: { stage: "test", freight },
  status: { phase },
});

describe("old freight", () => {
  it.each([
    { what: "beyond the number to keep goes", more: [], left: "0 1 2 other" },
    { what: "counts from what a stage holds", more: [stageWith("4")], left: "0 1 2 3 4 5 6 7 other" },
    {
      what: "counts from what a promotion takes",
      more: [promotionOf("3", "Running")],
      left: "0 1 2 3 4 5 6 other",
    },
    {
      what: "of finished promotions is not in use",
      more: [promotionOf("3", "Succeeded")],
      left: "0 1 2 other",
    },
    { what: "all in use stays", more: [stageWith("9")], left: "0 1 2 3 4 5 6 7 8 9 other" },
  ])("$what", async ({ more, left }) => {
    const { store, names } = await tenPieces(more);
    await deleteOldFreight(store, warehouse, { maxRetained: 3, minAgeMs: 0 }, now);
    expect(await names()).toBe(left);
  });

  it("stays while it is young", async () => {
    const { store, names } = await tenPieces();
    expect(await deleteOldFreight(store, warehouse, { maxRetained: 3, minAgeMs: 6 * day }, now)).toBe(4);
    expect(await names()).toBe("0 1 2 3 4 5 other");
  });

  it("stays when there is not too much of it", async () => {
    const { store } = await tenPieces();
    expect(await deleteOldFreight(store, warehouse, { maxRetained: 20, minAgeMs: 14 * day }, now)).toBe(0);
  });
});
