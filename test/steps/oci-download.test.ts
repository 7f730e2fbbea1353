import { stat } from "node:fs/promises";
import path from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Credentials } from "#core/credentials/credentials.ts";
import ociDownload from "#steps/oci-download.ts";
import { startDockerRegistry } from "#test/support/docker-registry.ts";
import { contextWith } from "#test/support/files.ts";
import { chartType, layerType, pushIndex, pushLayers } from "#test/support/oci-artifacts.ts";
import { once } from "#test/support/once.ts";
import { requirePart } from "#test/support/require-part.ts";
import { runStep } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

const digestOfNothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** A registry with artifacts, the same for all tests that only read. */
const shared = once(async () => {
  const registry = await startDockerRegistry();
  const image = await pushLayers(registry, "shop/web", "1.0.0", [
    [layerType, "first"],
    [chartType, "second"],
    [chartType, "third"],
    ["application/empty", ""],
  ]);
  await pushIndex(registry, "shop/web", "index");
  await pushLayers(registry, "shop/web", "bare", []);
  const { mediaType, config, layers } = await registry.readManifest("shop/web", "1.0.0");
  const huge = layers?.map((layer) => ({ ...layer, size: 100 * 1024 * 1024 + 1 }));
  await registry.pushManifest("shop/web", "huge", { mediaType, config, layers: huge });
  return { registry, image };
});

describe.skipIf(!(await requirePart("registry")))("oci-download", () => {
  it.each([
    { what: "the first layer", ref: ":1.0.0", config: {}, gives: "first" },
    { what: "the layer of a type", ref: ":1.0.0", config: { mediaType: chartType }, gives: "second" },
    { what: "an empty layer", ref: ":1.0.0", config: { mediaType: "application/empty" }, gives: "" },
    { what: "by digest", ref: "@", config: {}, gives: "first" },
    { what: "the image for linux/amd64 of an index", ref: ":index", config: {}, gives: "amd64" },
    { what: "into new folders", ref: ":1.0.0", config: { outPath: "a/b/c" }, gives: "first" },
    {
      what: "over a file",
      ref: ":1.0.0",
      config: { outPath: "old", allowOverwrite: true },
      gives: "first",
    },
  ])("downloads $what", async ({ ref, config, gives }) => {
    const { registry, image } = await shared();
    const imageRef = `${registry.host}/shop/web${ref === "@" ? `@${image.digest}` : ref}`;
    const ctx = await contextWith({ old: "old" });
    const all = { imageRef, outPath: "out", ...config };
    expect(await runStep(ociDownload, all, ctx)).toEqual({ status: "succeeded" });
    expect(await ctx.workspace.readText(all.outPath)).toBe(gives);
    expect((await stat(path.join(ctx.workspace.root, all.outPath))).mode & 0o777).toBe(0o600);
  });

  it.each([
    { config: { imageRef: "/shop/web:none" }, kind: "errored", says: "the registry does not have it" },
    { config: { imageRef: "/shop/none:1.0.0" }, kind: "errored", says: "the registry does not have it" },
    {
      config: { mediaType: "text/none" },
      kind: "errored",
      says: `media type "text/none"; there are ${layerType}, `,
    },
    { config: { imageRef: "/shop/web:bare" }, kind: "errored", says: "it has no layers" },
    {
      config: { imageRef: "/shop/web:huge" },
      kind: "refused",
      says: "104857601 bytes, 104857600 are allowed",
    },
    { config: { outPath: "old" }, kind: "refused", says: "it exists" },
    { config: { outPath: "../out" }, kind: "refused", says: "../out" },
    { config: { imageRef: "::ref" }, kind: "refused", says: "it is no registry/repository:tag" },
  ])("ends $kind on $config and leaves nothing behind", async ({ config, kind, says }) => {
    const { registry } = await shared();
    const ctx = await contextWith({ old: "old" });
    const { imageRef = "/shop/web:1.0.0", ...others } = config as Partial<Record<string, string>>;
    const address = imageRef.startsWith("/") ? registry.host : "invalid";
    const all = { outPath: "out", imageRef: `${address}${imageRef}`, ...others };
    await expect(runStep(ociDownload, all, ctx)).rejects.toMatchObject({
      status: "Errored",
      kind,
      message: expect.stringContaining(says),
    });
    expect(await listTree(ctx.workspace.root)).toEqual({ old: "old" });
  });

  it("may run twice", async () => {
    const { registry } = await shared();
    const ctx = await contextWith({});
    const config = { imageRef: `${registry.host}/shop/web:1.0.0`, outPath: "out" };
    await runStep(ociDownload, config, ctx);
    expect(await runStep(ociDownload, config, ctx)).toMatchObject({ status: "succeeded" });
  });

  it.each([
    { scheme: "", asks: "image" },
    { scheme: "oci://", asks: "helm" },
  ])("asks for $asks credentials where the reference begins with '$scheme'", async ({ scheme, asks }) => {
    const registry = await startDockerRegistry({ password: true });
    await pushLayers(registry, "charts/web", "1.0.0", [[chartType, "chart"]]);
    const asked: string[] = [];
    const find = async (type: string, url: string): Promise<Credentials> => {
      asked.push(`${type} ${url}`);
      return { username: "joe", password: "s3cret" };
    };
    const ctx = await contextWith({}, { credentials: { find } });
    const imageRef = `${scheme}${registry.host}/charts/web:1.0.0`;
    await runStep(ociDownload, { imageRef, outPath: "chart.tgz" }, ctx);
    expect(await ctx.workspace.readText("chart.tgz")).toBe("chart");
    expect(asked).toEqual([`${asks} ${scheme}${registry.host}/charts/web`]);
  });

  it("is let in by nobody without the password", async () => {
    const registry = await startDockerRegistry({ password: true });
    const imageRef = `${registry.host}/shop/web:1.0.0`;
    await expect(runStep(ociDownload, { imageRef, outPath: "out" })).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("none are configured"),
    });
  });

  it.each([
    { what: "an authority that the machine trusts", trusts: true, config: {}, works: true },
    { what: "an unknown authority", trusts: false, config: {}, works: false },
    {
      what: "an unknown authority, told not to check",
      trusts: false,
      config: { insecureSkipTLSVerify: true },
      works: true,
    },
  ])("over TLS of $what", async ({ trusts, config, works }) => {
    const registry = await startDockerRegistry({ tls: true });
    await pushLayers(registry, "shop/web", "1.0.0", [[layerType, "first"]]);
    if (trusts) trust(registry.certificate);
    const ctx = await contextWith({});
    const all = { imageRef: `${registry.host}/shop/web:1.0.0`, outPath: "out", ...config };
    if (works) {
      await runStep(ociDownload, all, ctx);
      expect(await ctx.workspace.readText("out")).toBe("first");
    } else {
      await expect(runStep(ociDownload, all, ctx)).rejects.toThrow(/certificate/);
    }
  });
});

describe("oci-download's configuration", () => {
  it.each([
    { imageRef: "registry.example.com/image:tag" },
    { imageRef: "oci://registry.example.com:5050/image:tag" },
    { imageRef: `registry.example.com:5050/a/b@${digestOfNothing}`, mediaType: "text/plain" },
  ])("may be %j", (config) => {
    expect(ociDownload.config.safeParse({ outPath: "out", ...config }).success).toBe(true);
  });

  it.each([
    { outPath: "out" },
    { imageRef: "registry.example.com/image:tag" },
    { imageRef: "registry.example.com/image", outPath: "out" },
    { imageRef: "", outPath: "out" },
    { imageRef: "https://registry.example.com/image:tag", outPath: "out" },
    { imageRef: "registry.example.com/image:tag", outPath: "" },
    { imageRef: "registry.example.com/image:tag", outPath: "out", mediaType: "" },
    { imageRef: "registry.example.com/image:tag", outPath: "out", platform: "linux/arm64" },
  ])("may not be %j", async (config) => {
    await expect(runStep(ociDownload, config)).rejects.toMatchObject({ kind: "config" });
  });
});

/** Trusts a certificate as the machine's own store would have it, until the test is over. */
function trust(certificate: string): void {
  const before = getCACertificates("default");
  setDefaultCACertificates([...before, certificate]);
  onTestFinished(() => setDefaultCACertificates(before));
}
