import { describe, expect, it } from "vitest";
import type { Credentials } from "#core/credentials/credentials.ts";
import { maxOciPushBytesFrom } from "#core/oci/push-limit.ts";
import ociPush from "#steps/oci-push.ts";
import { startDockerRegistry } from "#test/support/docker-registry.ts";
import { chartType, layerType, pushIndex, pushLayers } from "#test/support/oci-artifacts.ts";
import { once } from "#test/support/once.ts";
import { requirePart } from "#test/support/require-part.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const joe = { username: "joe", password: "s3cret" };

/** What is in it stays; the tests add to it. */
const shared = once(async () => {
  const registry = await startDockerRegistry();
  const image = await pushLayers(registry, "shop/web", "1.0.0", [[layerType, "a layer"]], { kept: "yes" });
  const index = await pushIndex(registry, "shop/multi", "1.0.0");
  return { registry, image, index };
});

describe.skipIf(!(await requirePart("registry")))("oci-push", () => {
  it.each([
    { what: "gives an image another tag", source: "/shop/web:1.0.0", target: "/shop/web:2.0.0", is: "image" },
    { what: "takes an image by its digest", source: "@", target: "/shop/web:pinned", is: "image" },
    {
      what: "copies an image in one registry",
      source: "/shop/web:1.0.0",
      target: "/a/b:latest",
      is: "image",
    },
    { what: "gives an index another tag", source: "/shop/multi:1.0.0", target: "/shop/multi:2", is: "index" },
    { what: "copies an index with its images", source: "/shop/multi:1.0.0", target: "/a/c:2", is: "index" },
  ])("$what, under the same digest", async ({ source, target, is }) => {
    const { registry, image, index } = await shared();
    const path = source === "@" ? `/shop/web@${image.digest}` : source;
    const [repository = "", tag = ""] = target.slice(1).split(":");
    const { digest } = is === "image" ? image : index;
    const config = { srcRef: `${registry.host}${path}`, destRef: `${registry.host}${target}` };
    expect(await runStep(ociPush, config)).toEqual({
      status: "succeeded",
      output: { image: `${registry.host}${target}`, digest, tag },
    });
    const stored = await registry.readManifest(repository, tag);
    expect(stored.digest).toBe(digest);
    for (const child of stored.manifests ?? []) {
      expect((await registry.readManifest(repository, child.digest)).layers).toHaveLength(1);
    }
  });

  it.each([
    { source: {}, target: {} },
    { source: { password: true }, target: { password: true } },
    { source: { tls: true }, target: { tls: true, password: true } },
  ])("copies a chart from a registry with $source to one with $target", async ({ source, target }) => {
    const from = await startDockerRegistry(source);
    const to = await startDockerRegistry(target);
    const layer = "x".repeat(300_000);
    const chart = await pushLayers(from, "charts/web", "1.0.0", [[chartType, layer]]);
    const asked: string[] = [];
    const find = async (type: string, url: string): Promise<Credentials | undefined> => {
      asked.push(`${type} ${url}`);
      const { password = false } = (url.includes(to.host) ? target : source) as { password?: boolean };
      return password ? joe : undefined;
    };
    const config = {
      srcRef: `oci://${from.host}/charts/web:1.0.0`,
      destRef: `oci://${to.host}/prod/web:1.0.0`,
      insecureSkipTLSVerify: true,
    };
    const outcome = await runStep(ociPush, config, fakeContext({ credentials: { find } }));
    expect(outcome).toMatchObject({
      output: { image: `${to.host}/prod/web:1.0.0`, digest: chart.digest, tag: "1.0.0" },
    });
    expect((await to.readManifest("prod/web", "1.0.0")).layers).toMatchObject([{ size: layer.length }]);
    expect(asked).toEqual([`helm oci://${from.host}/charts/web`, `helm oci://${to.host}/prod/web`]);
  });

  it("adds annotations to an image, for which those of an index are nothing", async () => {
    const { registry, image } = await shared();
    const outcome = await runStep(ociPush, {
      srcRef: `${registry.host}/shop/web:1.0.0`,
      destRef: `${registry.host}/prod/web:1.0.0`,
      annotations: { plain: "1", "manifest:image": "2", "index:none": "3" },
    });
    const stored = await registry.readManifest("prod/web", "1.0.0");
    expect(stored.annotations).toEqual({ kept: "yes", plain: "1", image: "2" });
    expect(outcome).toMatchObject({ output: { digest: stored.digest } });
    expect(stored.digest).not.toBe(image.digest);
    expect((await registry.readManifest("shop/web", "1.0.0")).digest).toBe(image.digest);
  });

  it("adds annotations to an index and to its images, which it names by their new digests", async () => {
    const { registry } = await shared();
    const outcome = await runStep(ociPush, {
      srcRef: `${registry.host}/shop/multi:1.0.0`,
      destRef: `${registry.host}/shop/multi:2.0.0`,
      annotations: { plain: "1", "manifest:image": "2", "index:index": "3" },
    });
    const index = await registry.readManifest("shop/multi", "2.0.0");
    expect(outcome).toMatchObject({ output: { digest: index.digest } });
    expect(index.annotations).toEqual({ kept: "yes", index: "3" });
    expect(index.manifests).toMatchObject([
      { platform: { architecture: "arm64" } },
      { platform: { architecture: "amd64" } },
    ]);
    for (const child of index.manifests ?? []) {
      const image = await registry.readManifest("shop/multi", child.digest);
      expect(image.annotations).toEqual({ plain: "1", image: "2" });
    }
  });

  it.each([
    { maxBytes: 100, source: "/shop/web:1.0.0", target: "/a/b:1", says: "bytes, 100 are allowed" },
    { maxBytes: 100, source: "/shop/multi:1.0.0", target: "/a/b:1", says: "bytes, 100 are allowed" },
    { maxBytes: 0, source: "/shop/web:1.0.0", target: "/a/b:1", says: "no copies from one repository" },
    { maxBytes: 0, source: "/shop/web:1.0.0", target: "/shop/web:2", says: undefined },
    { maxBytes: -1, source: "/shop/web:1.0.0", target: "/a/b:1", says: undefined },
  ])("with a limit of $maxBytes bytes, $source to $target: $says", async ({ says, maxBytes, ...refs }) => {
    const { registry } = await shared();
    const config = { srcRef: `${registry.host}${refs.source}`, destRef: `${registry.host}${refs.target}` };
    const pushing = runStep(ociPush, config, fakeContext({ maxOciPushBytes: maxBytes }));
    if (says === undefined) expect(await pushing).toMatchObject({ status: "succeeded" });
    else
      await expect(pushing).rejects.toMatchObject({
        kind: "refused",
        message: expect.stringContaining(says),
      });
  });

  it.each([
    { config: { srcRef: "/shop/none:1" }, kind: "errored", says: "the registry does not have it" },
    { config: { srcRef: "::ref" }, kind: "failed", says: "Cannot use srcRef" },
    { config: { destRef: "/SHOP/web:1" }, kind: "failed", says: "Cannot use destRef" },
  ])("ends $kind on $config", async ({ config, kind, says }) => {
    const { registry } = await shared();
    const full = (ref: string) => (ref.startsWith("/") ? registry.host : "invalid") + ref;
    const { srcRef = "/shop/web:1.0.0", destRef = "/shop/web:2" } = config as Partial<Record<string, string>>;
    await expect(runStep(ociPush, { srcRef: full(srcRef), destRef: full(destRef) })).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(says),
    });
  });

  it("leaves no tag behind when it may not write", async () => {
    const { registry: from } = await shared();
    const to = await startDockerRegistry({ password: true });
    const config = { srcRef: `${from.host}/shop/web:1.0.0`, destRef: `${to.host}/shop/web:1.0.0` };
    await expect(runStep(ociPush, config)).rejects.toMatchObject({ kind: "refused" });
  });
});

describe("oci-push's configuration", () => {
  it.each([
    { srcRef: "registry.example.com/image:tag" },
    { destRef: "registry.example.com/image:tag" },
    { srcRef: "a.example.com/image:1", destRef: "a.example.com/image" },
    { srcRef: "a.example.com/image:1", destRef: `a.example.com/image@sha256:${"0".repeat(64)}` },
    { srcRef: "a.example.com/image:1", destRef: "a.example.com/image:2", annotations: { a: 1 } },
    { srcRef: "a.example.com/image:1", destRef: "a.example.com/image:2", tag: "3" },
  ])("may not be %j", async (config) => {
    await expect(runStep(ociPush, config)).rejects.toMatchObject({ kind: "config" });
  });

  it.each([
    ["", undefined],
    ["0", 0],
    ["-1", -1],
    ["536870912", 536_870_912],
  ])("takes MAX_OCI_PUSH_ARTIFACT_SIZE=%s for %s", (value, bytes) => {
    expect(maxOciPushBytesFrom({ MAX_OCI_PUSH_ARTIFACT_SIZE: value })).toBe(bytes);
  });

  it("says what is wrong with a limit that is no number", () => {
    expect(() => maxOciPushBytesFrom({ MAX_OCI_PUSH_ARTIFACT_SIZE: "1Gi" })).toThrow("or -1 for no limit");
  });
});
