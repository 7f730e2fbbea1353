import { existsSync } from "node:fs";
import { chmod, readFile, stat, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { buffer } from "node:stream/consumers";
import { gunzipSync, gzipSync } from "node:zlib";
import { extract, type Header, pack } from "tar-stream";
import { describe, expect, it, vi } from "vitest";
import tar from "#steps/tar.ts";
import untar from "#steps/untar.ts";
import { contextWith } from "#test/support/files.ts";
import { runStep, temporaryFolder } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

type Entry = Partial<Header> & { name: string; content?: string | Buffer };

async function archiveOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  for (const { content = "", ...header } of entries) archive.entry(header, content);
  archive.finalize();
  return await buffer(archive);
}

async function contentOf(archive: Buffer): Promise<Record<string, string>> {
  const entries = extract();
  entries.end(archive);
  const found: Record<string, string> = {};
  for await (const entry of entries) {
    const { name, type, linkname } = entry.header;
    const content = await buffer(entry as AsyncIterable<Uint8Array>);
    found[name] = type === "symlink" ? `-> ${linkname}` : content.toString();
  }
  return found;
}

describe("tar", () => {
  const files = {
    "in/a": "1",
    "in/deep/b": "2",
    "in/.git/config": "3",
    "in/link": "-> a",
    "in/empty": "",
    single: "4",
  };

  it.each([
    {
      what: "a folder",
      config: { inPath: "in" },
      holds: { a: "1", "deep/": "", "deep/b": "2", empty: "", link: "-> a" },
    },
    { what: "a file", config: { inPath: "single" }, holds: { single: "4" } },
    {
      what: "what is not ignored",
      config: { inPath: "in", ignore: "# comment\ndeep/\nlink\n" },
      holds: { ".git/": "", ".git/config": "3", a: "1", empty: "" },
    },
  ])("packs $what", async ({ config, holds }) => {
    const ctx = await contextWith(files);
    expect(await runStep(tar, { ...config, outPath: "new/out.tar" }, ctx)).toEqual({
      status: "succeeded",
    });
    expect(await contentOf(Buffer.from(await ctx.workspace.readBytes("new/out.tar")))).toEqual(holds);
  });

  it("compresses when told to", async () => {
    const ctx = await contextWith(files);
    await runStep(tar, { inPath: "single", outPath: "out.tar.gz", gzip: true }, ctx);
    const archive = gunzipSync(await ctx.workspace.readBytes("out.tar.gz"));
    expect(await contentOf(archive)).toEqual({ single: "4" });
  });

  it("does not pack the archive into itself", async () => {
    const ctx = await contextWith({ "in/a": "1", "in/out.tar": "old" });
    await runStep(tar, { inPath: "in", outPath: "in/out.tar" }, ctx);
    expect(await contentOf(Buffer.from(await ctx.workspace.readBytes("in/out.tar")))).toEqual({ a: "1" });
    expect(Object.keys(await listTree(ctx.workspace.root))).toEqual(["in/a", "in/out.tar"]);
  });

  it("is read by the tar that everybody has", async () => {
    const ctx = await contextWith(files);
    await runStep(tar, { inPath: "in", outPath: "out.tar.gz", gzip: true }, ctx);
    const { stdout } = await ctx.exec("tar", ["-tzf", "out.tar.gz"]);
    expect(stdout.trim().split("\n")).toEqual(["a", "deep/", "deep/b", "empty", "link"]);
  });

  it.each([
    { what: "a file that is too large", sizes: [50 * 1024 * 1024 + 1], says: 'file "0" exceeds' },
    {
      what: "files that are too large together",
      sizes: [40, 40, 40].map((size) => size * 1024 * 1024),
      says: "together",
    },
  ])("fails on $what and leaves nothing behind", async ({ sizes, says }) => {
    const ctx = await contextWith({ "in/": "" });
    for (const [index, size] of sizes.entries()) {
      const at = path.join(ctx.workspace.root, "in", String(index));
      await writeFile(at, "");
      await truncate(at, size);
    }
    await expect(runStep(tar, { inPath: "in", outPath: "out.tar" }, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
    expect(await ctx.workspace.exists("out.tar")).toBe(false);
  });

  it.each([
    { config: { inPath: "none", outPath: "out.tar" }, says: "there is no such file" },
    { config: { inPath: "single", outPath: "single/out.tar" }, says: "exists and is not a folder" },
    { config: { inPath: "../x", outPath: "out.tar" }, says: "out of the workspace" },
    { config: { inPath: "single", outPath: "../out.tar" }, says: "out of the workspace" },
  ])("fails on $config", async ({ config, says }) => {
    const ctx = await contextWith(files);
    await expect(runStep(tar, config, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
  });

  it.each([{}, { inPath: "a" }, { inPath: "", outPath: "a" }, { inPath: "a", outPath: "b", ignore: "" }])(
    "refuses the configuration %j",
    async (config) => {
      await expect(runStep(tar, config)).rejects.toMatchObject({ kind: "config" });
    },
  );
});

describe("untar", () => {
  async function unpack(
    archive: Buffer,
    config: Record<string, unknown> = {},
    files: Record<string, string> = {},
  ) {
    const warn = vi.fn();
    const ctx = await contextWith(files, { log: { info() {}, warn } });
    await ctx.workspace.write("archive", archive);
    const outcome = await runStep(untar, { inPath: "archive", outPath: "out", ...config }, ctx);
    const { archive: _, ...tree } = await listTree(ctx.workspace.root);
    return { ctx, tree, warn, outcome };
  }

  const simple: Entry[] = [
    { name: "a", content: "1" },
    { name: "deep/", type: "directory" },
    { name: "deep/b", content: "2" },
  ];

  it.each([
    {
      what: "an archive",
      archive: () => archiveOf(simple),
      config: {},
      tree: { "out/a": "1", "out/deep/b": "2" },
    },
    {
      what: "a compressed archive",
      archive: async () => gzipSync(await archiveOf(simple)),
      config: {},
      tree: { "out/a": "1", "out/deep/b": "2" },
    },
    {
      what: "into new folders",
      archive: () => archiveOf(simple),
      config: { outPath: "x/y" },
      tree: { "x/y/a": "1", "x/y/deep/b": "2" },
    },
    {
      what: "over what was there",
      archive: () => archiveOf(simple),
      config: {},
      files: { "out/old": "3" },
      tree: { "out/a": "1", "out/deep/b": "2" },
    },
    {
      what: "without leading folders",
      archive: () => archiveOf(simple),
      config: { stripComponents: 1 },
      tree: { "out/b": "2" },
    },
    {
      what: "all but what is ignored",
      archive: () => archiveOf(simple),
      config: { ignore: "deep/" },
      tree: { "out/a": "1" },
    },
    {
      what: "all but what Git keeps",
      archive: () => archiveOf([...simple, { name: ".git/config", content: "x" }]),
      config: {},
      tree: { "out/a": "1", "out/deep/b": "2" },
    },
    {
      what: "links that stay inside",
      archive: () => archiveOf([...simple, { name: "l", type: "symlink", linkname: "deep/b" }]),
      config: {},
      tree: { "out/a": "1", "out/deep/b": "2", "out/l": "-> deep/b" },
    },
    {
      what: "the last of two files of one name",
      archive: () => archiveOf([...simple, { name: "a", content: "3" }]),
      config: {},
      tree: { "out/a": "3", "out/deep/b": "2" },
    },
  ])("unpacks $what", async ({ archive, config, files, tree }) => {
    const result = await unpack(await archive(), config, files);
    expect(result.outcome).toEqual({ status: "succeeded" });
    expect(result.tree).toEqual(tree);
    expect(result.warn).not.toHaveBeenCalled();
  });

  it("keeps modes and times, without the bits that change users", async () => {
    const mtime = new Date("2020-01-02T03:04:05Z");
    const { ctx } = await unpack(await archiveOf([{ name: "a", content: "1", mode: 0o4755, mtime }]));
    const found = await stat(path.join(ctx.workspace.root, "out/a"));
    expect(found.mode & 0o7777).toBe(0o755);
    expect(found.mtime).toEqual(mtime);
  });

  it.each<{ what: string; entries: Entry[] }>([
    { what: "a path with ..", entries: [{ name: "../evil", content: "x" }] },
    { what: "a path with .. in the middle", entries: [{ name: "a/../../evil", content: "x" }] },
    { what: "an absolute path", entries: [{ name: "/tmp/evil", content: "x" }] },
    { what: "a path with ./", entries: [{ name: "./evil", content: "x" }] },
    { what: "a path with a backslash", entries: [{ name: "a\\..\\evil", content: "x" }] },
    {
      what: "a link to an absolute path",
      entries: [{ name: "l", type: "symlink", linkname: "/etc/passwd" }],
    },
    { what: "a link with ..", entries: [{ name: "l", type: "symlink", linkname: "../evil" }] },
    { what: "a link to ..", entries: [{ name: "l", type: "symlink", linkname: ".." }] },
    { what: "a hard link", entries: [{ name: "l", type: "link", linkname: "/etc/passwd" }] },
    { what: "a hard link to an entry", entries: [{ name: "l", type: "link", linkname: "good" }] },
  ])("leaves out $what, with a warning", async ({ entries }) => {
    const { tree, warn } = await unpack(await archiveOf([...entries, { name: "good", content: "1" }]));
    expect(tree).toEqual({ "out/good": "1" });
    expect(warn).toHaveBeenCalledOnce();
  });

  it.each<{ what: string; entries: Entry[] }>([
    {
      what: "a chain of links",
      entries: [
        { name: "d/", type: "directory" },
        { name: "a", type: "symlink", linkname: "d" },
        { name: "a/b", type: "symlink", linkname: ".." },
        { name: "a/b/evil", content: "x" },
      ],
    },
    {
      what: "a link that a file replaces",
      entries: [
        { name: "l", type: "symlink", linkname: "evil" },
        { name: "l", content: "x" },
      ],
    },
    { what: "a device", entries: [{ name: "d", type: "character-device", devmajor: 1, devminor: 3 }] },
    { what: "a pipe", entries: [{ name: "p", type: "fifo" }] },
  ])("is not led astray by $what", async ({ entries }) => {
    const { ctx, tree } = await unpack(await archiveOf([...entries, { name: "good", content: "1" }]));
    expect(tree["out/good"]).toBe("1");
    expect(Object.keys(tree).filter((name) => !name.startsWith("out/"))).toEqual([]);
    expect(Object.keys(tree)).not.toContain("out/evil/x");
    expect(existsSync(path.join(ctx.workspace.root, "../evil"))).toBe(false);
  });

  it.each([
    {
      what: "a file that is too large",
      archive: async () => archiveOf([{ name: "big", content: Buffer.alloc(50 * 1024 * 1024 + 1) }]),
      says: 'file "big" exceeds size limit',
    },
    {
      what: "files that are too large together",
      archive: async () =>
        archiveOf(["a", "b", "c"].map((name) => ({ name, content: Buffer.alloc(40 * 1024 * 1024) }))),
      says: "total of its files exceeds size limit",
    },
    {
      what: "a compressed bomb",
      archive: async () =>
        gzipSync(await archiveOf([{ name: "big", content: Buffer.alloc(60 * 1024 * 1024) }])),
      says: "exceeds size limit",
    },
    { what: "something else", archive: async () => Buffer.from("this is no archive"), says: "Cannot unpack" },
    { what: "an empty file", archive: async () => Buffer.alloc(0), says: "it is empty" },
    {
      what: "half an archive",
      archive: async () => (await archiveOf(simple)).subarray(0, 700),
      says: "Cannot unpack",
    },
    {
      what: "broken compression",
      archive: async () => gzipSync(await archiveOf(simple)).subarray(0, 40),
      says: "Cannot unpack",
    },
  ])("fails on $what and leaves all as it was", async ({ archive, says }) => {
    const ctx = await contextWith({ "out/old": "1" });
    await ctx.workspace.write("archive", await archive());
    await expect(runStep(untar, { inPath: "archive", outPath: "out" }, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
    const { archive: _, ...tree } = await listTree(ctx.workspace.root);
    expect(tree).toEqual({ "out/old": "1" });
  });

  it.each([
    { config: { inPath: "none" }, says: "there is no such file" },
    { config: { inPath: "../x" }, says: "out of the workspace" },
    { config: { outPath: "../x" }, says: "out of the workspace" },
    { config: { outPath: "." }, says: "it is the workspace itself" },
    { config: { outPath: "link" }, says: "symbolic link" },
  ])("fails on $config", async ({ config, says }) => {
    const unpacking = unpack(await archiveOf(simple), config, { link: `-> ${temporaryFolder()}` });
    await expect(unpacking).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
  });

  it("gives back what tar packed", async () => {
    const ctx = await contextWith({ "in/a": "1", "in/b/c": "2", "in/l": "-> b/c", "in/run": "3" });
    await chmod(path.join(ctx.workspace.root, "in/run"), 0o755);
    await runStep(tar, { inPath: "in", outPath: "a.tgz", gzip: true }, ctx);
    await runStep(untar, { inPath: "a.tgz", outPath: "out" }, ctx);
    expect(await listTree(path.join(ctx.workspace.root, "out"))).toEqual(
      await listTree(path.join(ctx.workspace.root, "in")),
    );
    expect((await stat(path.join(ctx.workspace.root, "out/run"))).mode & 0o777).toBe(0o755);
    expect(await readFile(path.join(ctx.workspace.root, "out/l"), "utf8")).toBe("2");
  });

  it.each([
    {},
    { inPath: "a" },
    { inPath: "", outPath: "a" },
    { inPath: "a", outPath: "b", stripComponents: -1 },
    { inPath: "a", outPath: "b", stripComponents: 0.5 },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(untar, config)).rejects.toMatchObject({ kind: "config" });
  });
});
