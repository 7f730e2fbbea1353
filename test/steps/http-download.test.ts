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
    expect(await runStep(httpDownload, { url, ...config }, ctx)).toEqual({ status: "succeeded" });
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

  describe("of a transfer that breaks off", () => {
    const parts = "one,two,three,four".split(",");
    const whole = parts.join("");

    /** Sends one part, and breaks off until it has sent the last one. */
    async function breaking(headers: Record<string, string>, answersRange = true) {
      const asked: { range: string | undefined; ifRange: string | undefined }[] = [];
      const { url } = await serve((request, response) => {
        const { range, "if-range": ifRange } = request.headers as Record<string, string>;
        asked.push({ range, ifRange });
        const from = answersRange && range ? Number(/\d+/.exec(range)?.[0]) : 0;
        const rest = whole.slice(from);
        const length = { "content-length": String(rest.length) };
        const contentRange = { "content-range": `bytes ${from}-${whole.length - 1}/${whole.length}` };
        if (from === 0) response.writeHead(200, { ...length, ...headers });
        else response.writeHead(206, { ...length, ...headers, ...contentRange });
        const part = parts.find((_, index) => parts.slice(0, index).join("").length === from) ?? "";
        if (part === rest) return response.end(rest);
        response.write(part, () => setTimeout(() => response.destroy(), 20));
      });
      return { url, asked };
    }

    it.each<{ headers: Record<string, string>; ifRange: string }>([
      { headers: { etag: '"v1"' }, ifRange: '"v1"' },
      {
        headers: { "last-modified": "Wed, 02 Jan 2030 03:04:05 GMT" },
        ifRange: "Wed, 02 Jan 2030 03:04:05 GMT",
      },
    ])("it goes on where it was, vouched for by $ifRange", async ({ headers, ifRange }) => {
      const { url, asked } = await breaking(headers);
      const checksum = `sha256:${createHash("sha256").update(whole).digest("hex")}`;
      const ctx = await contextWith({});
      await runStep(httpDownload, { url, outPath: "a", checksum }, ctx);
      expect(await ctx.workspace.readText("a")).toBe(whole);
      expect(asked).toEqual([
        { range: undefined, ifRange: undefined },
        { range: "bytes=3-", ifRange },
        { range: "bytes=6-", ifRange },
        { range: "bytes=11-", ifRange },
      ]);
    });

    it.each([
      { what: "a weak ETag", headers: { etag: 'W/"v1"' }, asks: 1 },
      { what: "nothing to tell contents apart", headers: {}, asks: 1 },
      { what: "a server that sends no parts", headers: { etag: '"v1"', "accept-ranges": "none" }, asks: 1 },
      {
        what: "a server that sends the whole again",
        headers: { etag: '"v1"' },
        answersRange: false,
        asks: 2,
      },
    ])("it is not put together with $what", async ({ headers, answersRange, asks }) => {
      const { url, asked } = await breaking(headers as Record<string, string>, answersRange);
      const ctx = await contextWith({});
      await expect(runStep(httpDownload, { url, outPath: "a" }, ctx)).rejects.toMatchObject({
        kind: "transient",
      });
      expect(asked).toHaveLength(asks);
      expect(await listTree(ctx.workspace.root)).toEqual({});
    });

    it("another content is not put together with the first", async () => {
      let version = 0;
      const { url } = await serve((_request, response) => {
        version += 1;
        response.writeHead(version === 1 ? 200 : 206, {
          etag: `"v${version}"`,
          "content-length": "18",
          "content-range": "bytes 3-17/18",
        });
        response.write("one", () => setTimeout(() => response.destroy(), 20));
      });
      const ctx = await contextWith({});
      await expect(runStep(httpDownload, { url, outPath: "a" }, ctx)).rejects.toMatchObject({
        kind: "transient",
      });
      expect(version).toBe(2);
    });

    it("the bound holds for all parts together", async () => {
      const megabytes = 60 * 1024 * 1024;
      let asked = 0;
      const { url } = await serve((_request, response) => {
        asked += 1;
        const range = { "content-range": `bytes ${megabytes}-${2 * megabytes}/${2 * megabytes}` };
        response.writeHead(asked === 1 ? 200 : 206, { etag: '"v1"', ...(asked === 1 ? {} : range) });
        response.write(Buffer.alloc(megabytes), () => setTimeout(() => response.destroy(), 300));
      });
      const ctx = await contextWith({});
      await expect(runStep(httpDownload, { url, outPath: "a" }, ctx)).rejects.toThrow("longer than");
      expect(await listTree(ctx.workspace.root)).toEqual({});
    });
  });

  it("ends on a body that is too long", async () => {
    const { url } = await serve((_request, response) => {
      response.writeHead(200, { "content-length": String(101 * 1024 * 1024) });
      response.write("x");
    });
    await expect(runStep(httpDownload, { url, outPath: "a" })).rejects.toMatchObject({
      kind: "failed",
      message: expect.stringContaining("longer than"),
    });
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
