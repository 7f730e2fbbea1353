import { describe, expect, it } from "vitest";
import { freeAlias } from "#core/artifacts/freight-alias.ts";
import { freightName } from "#core/artifacts/freight-id.ts";
import type { FreightReference } from "#core/resources/freight.ts";

const origin = { kind: "Warehouse", name: "shop" } as const;
const contents: Omit<FreightReference, "name"> = {
  origin,
  commits: [{ repoURL: "https://git.example.com/Shop/App.git", id: "abc", tag: "v1.0.0" }],
  images: [{ repoURL: "example.com/shop/web", tag: "1.2.0", digest: "sha256:00", subscriptionName: "web" }],
  charts: [{ repoURL: "https://charts.example.com/stable/", name: "web", version: "2.0.0" }],
};

describe("the name of freight", () => {
  it("is the SHA-1 of its origin and its sorted contents", () => {
    // Of: Warehouse/shop:example.com/shop/web:1.2.0@sha256:00:web|https://git.example.com/shop/app:v1.0.0:abc
    // |https:/charts.example.com/stable/web:2.0.0
    const expected = "f56999a198956d0ee5d6e463e74978294b860324";
    expect(freightName(contents)).toBe(expected);
  });

  it("does not depend on the order of contents, nor on what only describes them", () => {
    const image = { repoURL: "example.com/shop/api", tag: "1", digest: "sha256:01" };
    const images = [...(contents.images ?? []), image];
    const name = freightName({ ...contents, images });
    expect(freightName({ ...contents, images: images.toReversed() })).toBe(name);
    const described = images.map((entry) => ({ ...entry, annotations: { any: "thing" } }));
    expect(freightName({ ...contents, images: described })).toBe(name);
  });

  it.each<{ what: string; changed: Partial<FreightReference> }>([
    { what: "origin", changed: { origin: { ...origin, name: "other" } } },
    {
      what: "commit",
      changed: { commits: [{ repoURL: "https://git.example.com/shop/app", id: "abd", tag: "v1.0.0" }] },
    },
    {
      what: "tag of the commit",
      changed: { commits: [{ repoURL: "https://git.example.com/shop/app", id: "abc" }] },
    },
    {
      what: "digest",
      changed: { images: [{ repoURL: "example.com/shop/web", tag: "1.2.0", digest: "sha256:01" }] },
    },
    {
      what: "version",
      changed: { charts: [{ repoURL: "https://charts.example.com", name: "web", version: "2" }] },
    },
    { what: "artifact", changed: { artifacts: [{ subscriptionName: "x", version: "1" }] } },
  ])("depends on the $what", ({ changed }) => {
    expect(freightName({ ...contents, ...changed })).not.toBe(freightName(contents));
  });
});

describe("an alias", () => {
  it("is an adjective and an animal", async () => {
    expect(await freeAlias(async () => false)).toMatch(/^[a-z]+-[a-z]+$/);
  });

  it("is one that is free", async () => {
    const taken: string[] = [];
    const alias = await freeAlias(async (wanted) => taken.push(wanted) < 4);
    expect(taken).toHaveLength(4);
    expect(alias).toBe(taken.at(-1));
  });

  it("gets a number when words run out", async () => {
    const alias = await freeAlias(async (wanted) => /^[a-z]+-[a-z]+$/.test(wanted));
    expect(alias).toMatch(/^[a-z]+-[a-z]+-\d+$/);
  });
});
