import { expect, it } from "vitest";
import { writeFreight } from "#core/artifacts/new-freight.ts";
import { createCipher } from "#core/credentials/cipher.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";

it("gives freight that is found in the same moment an alias each, whatever chance has in mind", async () => {
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)) });
  const names = ["a", "b", "c", "d"];
  const warehouse = (name: string) => ({ kind: "Warehouse", project: "shop", name });
  await store.write(
    names.map((name) => ({
      op: "create",
      resource: {
        apiVersion: "kargo.akuity.io/v1alpha1",
        kind: "Warehouse",
        metadata: { name, namespace: "shop" },
      } as Resource,
    })),
  );
  // All of them are to be called the same at first; for each two numbers are drawn.
  let drawn = 0;
  const random = () => (drawn++ < names.length * 2 ? 0 : Math.random());
  await Promise.all(
    names.map((name) => {
      const origin = { kind: "Warehouse", name } as const;
      const images = [{ repoURL: `registry.example.com/${name}`, tag: "1.0.0", digest: "sha256:1" }];
      const write = { warehouse: warehouse(name), status: {}, now: new Date(), random };
      return writeFreight(store, { name: `freight-${name}`, origin, images }, write);
    }),
  );
  const freight = (await store.list({ kind: "Freight", project: "shop" })) as Freight[];
  expect(new Set(freight.map(({ alias }) => alias)).size).toBe(names.length);
});
