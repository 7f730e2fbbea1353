import { createHash } from "node:crypto";
import { link, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import httpDownload from "#steps/http-download.ts";
import { contextWith } from "#test/support/files.ts";
import { serve } from "#test/support/http-server.ts";
import { runStep, temporaryFolder } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

const content = "the content";
const server = async (status = 200) =>
  await serve((request, response) => {
    const isKnown = request.headers["x-key"] !== "wrong" && request.url !== "/?none=1";
    response.writeHead(isKnown ? status : 404).end(content);
  });

describe("http-download", () => {
  it.each([
    { what: "a file", config: { outPath: "a" } },
    { what: "into new folders", config: { outPath: "b/c/a" } },
    { what: "over a file", config: { outPath: "old", allowOverwrite: true } },
    { what: "with headers", config: { outPath: "a", headers: [{ name: "X-Key", value: "right" }] } },
    {
      what: "of a known SHA-256",
      config: { outPath: "a", checksum: `sha256:${createHash("sha256").update(content).digest("hex")}` },
    },
    {
      what: "of a known SHA-512",
      config: { outPath: "a", checksum: `sha512:${createHash("sha512").update(content).digest("hex")}` },
    },
  ])("downloads $what", async ({ config }) => {
    const { url } = await server();
    const ctx = await contextWith({ old: "old" });
    expect(await runStep(httpDownload, { url, ...config }, ctx)).toEqual({ status: "succeeded", output: {} });
    expect(await ctx.workspace.readText(config.outPath)).toBe(content);
    expect((await stat(path.join(ctx.workspace.root, config.outPath))).mode & 0o777).toBe(0o600);
  });

  it("may run twice", async () => {
    const { url } = await server();
    const ctx = await contextWith({});
    await runStep(httpDownload, { url, outPath: "a" }, ctx);
    expect(await runStep(httpDownload, { url, outPath: "a" }, ctx)).toMatchObject({ status: "succeeded" });
  });

  it.each([
    { config: { outPath: "old" }, status: "Errored", terminal: true },
    { config: { outPath: "../a" }, status: "Errored", terminal: true },
    { config: { outPath: "a", url: "http://[" }, status: "Errored", terminal: true },
    { config: { outPath: "a", url: "http://169.254.169.254/" }, status: "Errored", terminal: true },
    {
      config: { outPath: "a", queryParams: [{ name: "none", value: "1" }] },
      status: "Failed",
      terminal: false,
    },
    {
      config: { outPath: "a", headers: [{ name: "X-Key", value: "wrong" }] },
      status: "Failed",
      terminal: false,
    },
    { config: { outPath: "a", checksum: `sha256:${"0".repeat(64)}` }, status: "Failed", terminal: true },
  ])("$config ends $status and leaves nothing behind", async ({ config, status, terminal }) => {
    const { url } = await server();
    const ctx = await contextWith({ old: "old" });
    await expect(runStep(httpDownload, { url, ...config }, ctx)).rejects.toMatchObject({ status, terminal });
    expect(await listTree(ctx.workspace.root)).toEqual({ old: "old" });
  });

  it("ends on a body that is too long", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": String(101 * 1024 * 1024) });
      response.write("x");
    });
    await expect(runStep(httpDownload, { url, outPath: "a" })).rejects.toThrow("longer than");
  });

  it.each([
    { make: symlink, safe: false },
    { make: link, safe: true },
  ])("does not write through what leads out of the workspace", async ({ make, safe }) => {
    const outside = path.join(temporaryFolder(), "secret");
    await writeFile(outside, "secret");
    const { url } = await server();
    const ctx = await contextWith({});
    await make(outside, path.join(ctx.workspace.root, "a"));
    const downloading = runStep(httpDownload, { url, outPath: "a", allowOverwrite: true }, ctx);
    if (safe) await downloading;
    else await expect(downloading).rejects.toMatchObject({ kind: "refused" });
    expect(await readFile(outside, "utf8")).toBe("secret");
  });

  it.each([
    {},
    { url: "http://x" },
    { url: "", outPath: "a" },
    { url: "http://x", outPath: "" },
    { url: "http://x", outPath: "a", headers: [{ name: "a" }] },
    { url: "http://x", outPath: "a", queryParams: [{ value: "a" }] },
    { url: "http://x", outPath: "a", timeout: "soon" },
    { url: "http://x", outPath: "a", checksum: "md5:1" },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(httpDownload, config)).rejects.toMatchObject({ kind: "config" });
  });
});
