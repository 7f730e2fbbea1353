import { describe, expect, it } from "vitest";
import type { SubscriptionSource } from "#core/artifacts/find.ts";
import {
  findArtifact,
  findChart,
  findCommit,
  findImage,
  refuseAmbiguousImages,
} from "#core/artifacts/find.ts";
import type { FreightOrigin, FreightReference } from "#core/resources/freight.ts";

const shop: FreightOrigin = { kind: "Warehouse", name: "shop" };
const tools: FreightOrigin = { kind: "Warehouse", name: "tools" };
const requested = [shop, tools].map((origin) => ({ origin, sources: { direct: true } }));

const repo = "https://git.example.com/shop.git";
const image = "registry.example.com/shop";
const charts = "https://charts.example.com";

const fromShop: FreightReference = {
  name: "f1",
  origin: shop,
  commits: [{ repoURL: repo, id: "c-shop" }],
  images: [{ repoURL: image, tag: "1.0.0" }],
  charts: [{ repoURL: charts, name: "web", version: "2.0.0" }],
};
const fromTools: FreightReference = {
  name: "f2",
  origin: tools,
  commits: [{ repoURL: "https://git.example.com/shop", id: "c-tools" }],
  images: [{ repoURL: image, tag: "0.9.0" }],
  charts: [{ repoURL: charts, name: "web", version: "1.0.0" }],
};

const everything: SubscriptionSource[] = [
  { git: { repoURL: repo } },
  { image: { repoURL: image } },
  { chart: { repoURL: charts, name: "web" } },
];
const warehouses = (shops: SubscriptionSource[], others: SubscriptionSource[]) => (name: string) =>
  name === "shop" ? shops : others;

describe("finding an artifact in freight", () => {
  const both = [fromShop, fromTools];
  const finders = [
    {
      kind: "commit",
      find: (freight: FreightReference[], origin?: FreightOrigin, of?: ReturnType<typeof warehouses>) =>
        findCommit(requested, freight, "https://GIT.example.com/shop/", origin, of)?.id,
      shops: "c-shop",
      others: "c-tools",
    },
    {
      kind: "image",
      find: (freight: FreightReference[], origin?: FreightOrigin, of?: ReturnType<typeof warehouses>) =>
        findImage(requested, freight, image, origin, of)?.tag,
      shops: "1.0.0",
      others: "0.9.0",
    },
    {
      kind: "chart",
      find: (freight: FreightReference[], origin?: FreightOrigin, of?: ReturnType<typeof warehouses>) =>
        findChart(requested, freight, charts, "web", origin, of)?.version,
      shops: "2.0.0",
      others: "1.0.0",
    },
  ];

  it.each(finders)("takes the $kind of the origin asked for", ({ find, shops, others }) => {
    expect(find(both, shop)).toBe(shops);
    expect(find(both, tools)).toBe(others);
  });

  it.each(finders)("finds no $kind where the origin asked for has brought none", ({ find }) => {
    expect(find([fromTools], shop)).toBeUndefined();
  });

  it.each(finders)("infers the origin of a $kind from the one Warehouse that subscribes to it", (finder) => {
    expect(finder.find(both, undefined, warehouses([], everything))).toBe(finder.others);
    expect(finder.find([fromShop], undefined, warehouses([], everything))).toBeUndefined();
  });

  it.each(finders)("refuses to choose between two Warehouses that could bring the $kind", ({ find }) => {
    const ambiguous = /multiple requested Freight could potentially provide .*disambiguate/;
    expect(() => find([fromShop], undefined, warehouses(everything, everything))).toThrow(ambiguous);
    expect(() => find([], undefined, warehouses([...everything, ...everything], []))).toThrow(ambiguous);
  });

  it.each(finders)("goes by the freight for a $kind when nothing is known of the Warehouses", (finder) => {
    expect(finder.find([fromShop])).toBe(finder.shops);
    expect(() => finder.find(both)).toThrow("multiple requested Freight");
  });

  it("finds no commit and no image that nobody subscribes to, and fails for such a chart", () => {
    expect(findCommit(requested, both, repo, undefined, warehouses([], []))).toBeUndefined();
    expect(findImage(requested, both, image, undefined, warehouses([], []))).toBeUndefined();
    expect(() => findChart(requested, both, charts, "web", undefined, warehouses([], []))).toThrow(
      'chart "web" from repo https://charts.example.com not found in referenced Freight',
    );
  });

  it("looks through all freight where no requests are known", () => {
    expect(findCommit([], [fromShop], repo)?.id).toBe("c-shop");
  });

  it("lets a missing Warehouse speak for itself", () => {
    const missing = () => {
      throw new Error('Warehouse "shop" not found in namespace "demo"');
    };
    expect(() => findImage(requested, both, image, undefined, missing)).toThrow("not found in namespace");
    expect(findImage(requested, both, image, shop, missing)?.tag).toBe("1.0.0");
  });

  it("finds what a named subscription of another kind brought", () => {
    const artifact = { subscriptionName: "models", version: "7", metadata: { size: 1 } };
    const freight = [{ ...fromShop, artifacts: [artifact] } as FreightReference];
    const subscriptions = warehouses([{ name: "models" }], everything);
    expect(findArtifact(requested, freight, "models", undefined, subscriptions)).toEqual(artifact);
    expect(findArtifact(requested, freight, "sounds", undefined, subscriptions)).toBeUndefined();
  });
});

describe("refusing ambiguous images", () => {
  it("goes by subscriptions where they are known, and by the freight where not", () => {
    expect(() => refuseAmbiguousImages(requested, [], warehouses(everything, everything))).toThrow(image);
    expect(() => refuseAmbiguousImages(requested, [fromShop, fromTools])).toThrow(image);
    expect(() => refuseAmbiguousImages(requested, [fromShop], warehouses(everything, []))).not.toThrow();
  });
});
