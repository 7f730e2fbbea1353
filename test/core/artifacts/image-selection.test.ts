import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { createImageMemory } from "#core/artifacts/image-memory.ts";
import { couldTakeTag, selectImages } from "#core/artifacts/image-selection.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { createRegistryClient } from "#core/oci/registry-client.ts";
import { openRepository } from "#core/oci/repository.ts";
import { ImageSubscription } from "#core/resources/warehouse.ts";
import type { FakeRegistry } from "#test/support/fake-registry.ts";
import { dockerImage, ociIndex, startFakeRegistry } from "#test/support/fake-registry.ts";

const minute = 60_000;
const hour = 60 * minute;

type Fields = Partial<z.input<typeof ImageSubscription>>;

/** A registry, and what a Warehouse that lives as long as the test sees of it. `minutes` is moved by hand. */
async function watching() {
  const registry = await startFakeRegistry();
  const clock = { minutes: 0 };
  const memory = createImageMemory(() => clock.minutes * minute);
  const fetch = createFetch({ policy: createEgressPolicy({ allow: ["127.0.0.1"] }) });
  const client = createRegistryClient({ fetch, limits: { requestsPerSecond: 10_000 } });
  const select = (fields: Fields, readsTimes = false) =>
    selectImages(ImageSubscription.parse({ repoURL: "registry/shop/web", ...fields }), {
      repository: openRepository(client, registry.repoURL),
      memory,
      scope: "shop",
      freshness: { listMs: 5 * minute, bestMs: 5 * minute, tagMs: hour },
      readsTimes,
    });
  return { registry, clock, select };
}

function pushTags(registry: FakeRegistry, tags: string): void {
  for (const tag of tags.split(" ")) registry.pushImage(tag, { labels: { tag } });
}

describe("choosing images by their tags", () => {
  const tags = "latest 1.0.0 1.10.0 1.9.0 2.0.0-rc.1 v1.2.0 1.5 nightly-20300101 nightly-20300102";
  it.each<{ fields: Fields; chooses: string }>([
    { fields: {}, chooses: "2.0.0-rc.1 1.10.0 1.9.0 v1.2.0 1.0.0" },
    { fields: { discoveryLimit: 2 }, chooses: "2.0.0-rc.1 1.10.0" },
    { fields: { constraint: ">=1.0.0-0" }, chooses: "2.0.0-rc.1 1.10.0 1.9.0 v1.2.0 1.0.0" },
    { fields: { constraint: "~1.9" }, chooses: "1.9.0" },
    { fields: { constraint: "^1.0.0", strictSemvers: false }, chooses: "1.10.0 1.9.0 1.5 v1.2.0 1.0.0" },
    { fields: { ignoreTagsRegexes: ["^v"], constraint: "1.x" }, chooses: "1.10.0 1.9.0 1.0.0" },
    { fields: { allowTagsRegexes: ["^1\\.1", "^v"], constraint: "1.x" }, chooses: "1.10.0 v1.2.0" },
    { fields: { allowTags: "^1\\.", ignoreTags: ["1.10.0"] }, chooses: "1.9.0 1.0.0" },
    {
      fields: { imageSelectionStrategy: "Lexical", allowTagsRegexes: ["^nightly-\\d{8}$"] },
      chooses: "nightly-20300102 nightly-20300101",
    },
    { fields: { imageSelectionStrategy: "Lexical", discoveryLimit: 2 }, chooses: "v1.2.0 nightly-20300102" },
    { fields: { imageSelectionStrategy: "Digest", constraint: "latest" }, chooses: "latest" },
    { fields: { imageSelectionStrategy: "Digest", constraint: "gone" }, chooses: "" },
  ])("$fields chooses $chooses", async ({ fields, chooses }) => {
    const { registry, select } = await watching();
    pushTags(registry, tags);
    const { chosen, leftOut } = await select(fields);
    expect(chosen.map(({ tag }) => tag).join(" ")).toBe(chooses);
    const considered = fields.imageSelectionStrategy === "Digest" ? 1 : tags.split(" ").length;
    expect(leftOut.length + chosen.length).toBe(considered);
  });

  it("says of each tag which rule left it out", async () => {
    const { registry, select } = await watching();
    pushTags(registry, "latest 1.0.0 1.1.0 1.2.0 1.3.0-rc.1 2.0.0 1.4 dev-1 beta");
    registry.push("old", { schemaVersion: 1 }, "application/vnd.docker.distribution.manifest.v1+prettyjws");
    const { leftOut } = await select({
      constraint: "^1.0.0",
      discoveryLimit: 2,
      allowTagsRegexes: ["^[0-9lo]"],
      ignoreTagsRegexes: ["^dev"],
    });
    expect(Object.fromEntries(leftOut.map(({ name, reason }) => [name, reason]))).toEqual({
      latest: "is no semantic version",
      old: "is no semantic version",
      "1.0.0": "is beyond the 2 best (discoveryLimit)",
      "1.3.0-rc.1": 'is a prerelease, and the constraint "^1.0.0" asks for releases only',
      "2.0.0": 'does not satisfy the constraint "^1.0.0"',
      "1.4": "is no strict semantic version (strictSemvers)",
      "dev-1": 'matches "^dev" of ignoreTagsRegexes',
      beta: "matches none of allowTagsRegexes",
    });
  });

  it("leaves out what is no image", async () => {
    const { registry, select } = await watching();
    registry.push("2.0.0", { schemaVersion: 1 }, "application/vnd.docker.distribution.manifest.v1+prettyjws");
    pushTags(registry, "1.0.0");
    const { chosen, leftOut } = await select({});
    expect(chosen.map(({ tag }) => tag)).toEqual(["1.0.0"]);
    expect(leftOut[0]?.reason).toContain("is of a kind that is not known");
  });

  it.each<{ fields: Fields; says: string }>([
    { fields: { constraint: "newest" }, says: 'Cannot read constraint "newest": improper constraint' },
    { fields: { allowTagsRegexes: ["("] }, says: 'Cannot read allowTagsRegexes: "("' },
    { fields: { platform: "linux" }, says: 'Cannot read platform "linux"' },
    { fields: { imageSelectionStrategy: "Digest" }, says: "needs a constraint" },
  ])("says of $fields what is wrong, and asks nobody", async ({ fields, says }) => {
    const { registry, select } = await watching();
    await expect(select(fields)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining(says),
    });
    expect(registry.requests).toEqual([]);
  });
});

describe("choosing the newest build", () => {
  it("goes by annotations, then by the later of label and configuration, and breaks ties by tag", async () => {
    const { registry, select } = await watching();
    const key = "org.opencontainers.image.created";
    registry.pushImage("config", { created: "2030-01-03T00:00:00Z" });
    registry.pushImage("label", {
      created: "2030-01-01T00:00:00Z",
      labels: { [key]: "2030-01-04T00:00:00+02:00" },
    });
    registry.pushImage("stale-label", {
      created: "2030-01-02T00:00:00Z",
      labels: { [key]: "2020-01-01T00:00:00Z" },
    });
    registry.pushImage("annotation", {
      created: "2030-01-09T00:00:00Z",
      annotations: { "org.label-schema.build-date": "2030-01-01T12:00:00Z" },
    });
    registry.pushImage("same", { created: "2030-01-03T00:00:00Z" });
    const { chosen } = await select({ imageSelectionStrategy: "NewestBuild" });
    expect(chosen.map(({ tag, createdAt }) => `${tag} ${createdAt}`)).toEqual([
      "label 2030-01-03T22:00:00Z",
      "same 2030-01-03T00:00:00Z",
      "config 2030-01-03T00:00:00Z",
      "stale-label 2030-01-02T00:00:00Z",
      "annotation 2030-01-01T12:00:00Z",
    ]);
  });

  it("dates an index by its newest image", async () => {
    const { registry, select } = await watching();
    const older = registry.pushImage(undefined, { created: "2030-01-01T00:00:00Z" });
    const newer = registry.pushImage(undefined, { created: "2030-01-05T00:00:00Z" });
    registry.push(
      "1.0.0",
      {
        mediaType: ociIndex,
        manifests: [
          { digest: older, platform: { os: "linux", architecture: "amd64" } },
          { digest: newer, platform: { os: "linux", architecture: "arm64" } },
          { digest: "sha256:00", platform: { os: "unknown", architecture: "unknown" } },
        ],
      },
      ociIndex,
    );
    const { chosen } = await select({ imageSelectionStrategy: "NewestBuild" });
    expect(chosen[0]?.createdAt).toBe("2030-01-05T00:00:00Z");
  });
});

describe("choosing images for a platform", () => {
  async function watchingPlatforms() {
    const watched = await watching();
    const { registry } = watched;
    const entries = [
      { architecture: "amd64", variant: "", annotations: { for: "amd64" } },
      { architecture: "arm64", variant: "v8", annotations: { for: "arm64" } },
      { architecture: "arm", variant: "v7" },
    ].map(({ architecture, variant, annotations }) => ({
      digest: registry.pushImage(undefined, { labels: { architecture } }),
      platform: { os: "linux", architecture, variant },
      annotations,
    }));
    const index = { mediaType: ociIndex, annotations: { from: "index" }, manifests: entries };
    registry.push("2.0.0", index, ociIndex);
    registry.pushImage("1.0.0", { platform: { os: "linux", architecture: "s390x" } });
    return watched;
  }

  it.each([
    { platform: "linux/amd64", chooses: "2.0.0", annotations: { from: "index", for: "amd64" } },
    { platform: "linux/arm64", chooses: "2.0.0", annotations: { from: "index", for: "arm64" } },
    { platform: "linux/arm/v7", chooses: "2.0.0", annotations: { from: "index" } },
    { platform: "linux/arm/v6", chooses: undefined },
    { platform: "windows/amd64", chooses: undefined },
    { platform: "linux/s390x", chooses: "1.0.0" },
  ])("$platform chooses $chooses", async ({ platform, chooses, annotations }) => {
    const { select } = await watchingPlatforms();
    const { chosen, leftOut } = await select({ platform });
    expect(chosen[0]?.tag).toBe(chooses);
    if (annotations !== undefined) expect(chosen[0]?.annotations).toEqual(annotations);
    if (chooses === undefined) expect(leftOut[0]?.reason).toBe(`is not for platform ${platform}`);
  });

  it("takes Docker's media types as well as OCI's", async () => {
    const { registry, select } = await watching();
    const config = registry.push(undefined, { os: "linux", architecture: "amd64" }, "application/json");
    registry.push("1.0.0", { mediaType: dockerImage, config: { digest: config } }, dockerImage);
    expect((await select({ platform: "linux/amd64" })).chosen).toHaveLength(1);
  });
});

describe("requests to the registry", () => {
  const manyTags = Array.from({ length: 1_000 }, (_, at) => `1.0.${at}`).join(" ");

  it("are two when nothing is new, however many tags there are", async () => {
    const { registry, clock, select } = await watching();
    pushTags(registry, manyTags);
    const first = await select({});
    registry.requests.length = 0;
    clock.minutes += 6;
    expect((await select({})).chosen).toEqual(first.chosen);
    expect(registry.requests).toEqual([
      "GET /v2/shop/web/tags/list?n=10000",
      "HEAD /v2/shop/web/manifests/1.0.999",
    ]);
  });

  it("are none when another Warehouse has just asked", async () => {
    const { registry, clock, select } = await watching();
    pushTags(registry, "1.0.0 1.1.0");
    await Promise.all([select({}), select({}), select({ constraint: "~1.0" })]);
    expect(registry.requests).toHaveLength(3);
    clock.minutes += 4;
    await select({});
    expect(registry.requests).toHaveLength(3);
  });

  it("notice the newest tag when it is moved, and others one by one after an hour", async () => {
    const { registry, clock, select } = await watching();
    pushTags(registry, "1.0.0 1.1.0");
    const before = (await select({})).chosen;
    const moved = { newest: registry.pushImage("1.1.0", { labels: { moved: "yes" } }), other: "" };
    moved.other = registry.pushImage("1.0.0", { labels: { moved: "too" } });
    clock.minutes += 6;
    expect((await select({})).chosen.map(({ digest }) => digest)).toEqual([moved.newest, before[1]?.digest]);
    clock.minutes += 60;
    await select({});
    clock.minutes += 1;
    registry.requests.length = 0;
    expect((await select({})).chosen.map(({ digest }) => digest)).toEqual([moved.newest, moved.other]);
    expect(registry.requests).toHaveLength(2);
  });

  it("ask for no tag twice that the subscription calls immovable", async () => {
    const { registry, clock, select } = await watching();
    pushTags(registry, "1.0.0 1.1.0");
    await select({ cacheByTag: true });
    registry.requests.length = 0;
    clock.minutes += 120;
    await select({ cacheByTag: true });
    expect(registry.requests).toEqual(["GET /v2/shop/web/tags/list?n=10000"]);
  });

  it("read the time of the best image alone where it is wanted, and read nothing again", async () => {
    const { registry, clock, select } = await watching();
    registry.pushImage("1.0.0", { created: "2030-01-01T00:00:00Z" });
    const times = async (readsTimes: boolean) =>
      (await select({}, readsTimes)).chosen.map(({ createdAt }) => createdAt);
    expect(await times(true)).toEqual(["2030-01-01T00:00:00Z"]);
    registry.pushImage("1.1.0", { created: "2030-01-02T00:00:00Z" });
    clock.minutes += 6;
    registry.requests.length = 0;
    // The one that was the best before keeps its time, as it costs nothing.
    expect(await times(true)).toEqual(["2030-01-02T00:00:00Z", "2030-01-01T00:00:00Z"]);
    expect(registry.requests).toEqual([
      "GET /v2/shop/web/tags/list?n=10000",
      "GET /v2/shop/web/manifests/1.1.0",
      expect.stringMatching("^GET /v2/shop/web/blobs/"),
    ]);
  });

  it("follow a moving tag with strategy Digest", async () => {
    const { registry, clock, select } = await watching();
    const digests = async () =>
      (await select({ imageSelectionStrategy: "Digest", constraint: "latest" })).chosen.map(
        ({ digest }) => digest,
      );
    const first = registry.pushImage("latest", { created: "2030-01-01T00:00:00Z" });
    expect(await digests()).toEqual([first]);
    const second = registry.pushImage("latest", { created: "2030-01-02T00:00:00Z" });
    clock.minutes += 6;
    expect(await digests()).toEqual([second]);
    expect(registry.requests.some((request) => request.includes("/tags/list"))).toBe(false);
  });
});

describe("whether a subscription could take a tag", () => {
  it.each<{ fields: Fields; tag: string; takes: boolean }>([
    { fields: {}, tag: "1.0.0", takes: true },
    { fields: {}, tag: "latest", takes: false },
    { fields: { constraint: "^2" }, tag: "1.0.0", takes: false },
    { fields: { imageSelectionStrategy: "Digest", constraint: "latest" }, tag: "latest", takes: true },
    { fields: { imageSelectionStrategy: "Digest", constraint: "latest" }, tag: "1.0.0", takes: false },
    { fields: { imageSelectionStrategy: "Lexical", ignoreTagsRegexes: ["^dev"] }, tag: "dev", takes: false },
  ])("$fields takes $tag: $takes", ({ fields, tag, takes }) => {
    expect(couldTakeTag(ImageSubscription.parse({ repoURL: "shop/web", ...fields }), tag)).toBe(takes);
  });
});
