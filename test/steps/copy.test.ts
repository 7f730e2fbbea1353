import { chmod, link, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import copy from "#steps/copy.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

async function workspaceWith(files: Record<string, string | undefined>) {
  const ctx = fakeContext();
  for (const [name, content = ""] of Object.entries(files)) await ctx.workspace.write(name, content);
  return ctx;
}

describe("copy", () => {
  it.each([
    {
      what: "a file",
      files: { "a.txt": "1" },
      config: { inPath: "a.txt", outPath: "b/c.txt" },
      makes: { "b/c.txt": "1" },
    },
    {
      what: "a file over another",
      files: { "a.txt": "1", "b.txt": "2" },
      config: { inPath: "a.txt", outPath: "b.txt" },
      makes: { "b.txt": "1" },
    },
    {
      what: "a folder",
      files: { "in/a": "1", "in/deep/b": "2" },
      config: { inPath: "in/", outPath: "out/" },
      makes: { "out/a": "1", "out/deep/b": "2" },
    },
    {
      what: "a folder into one that has files",
      files: { "in/a": "1", "in/b": "2", "out/b": "old", "out/c": "3" },
      config: { inPath: "in", outPath: "out" },
      makes: { "out/a": "1", "out/b": "2", "out/c": "3" },
    },
    {
      what: "a folder without what Git keeps",
      files: { "in/a": "1", "in/.git/config": "2", "in/sub/.git": "3" },
      config: { inPath: "in", outPath: "out" },
      makes: { "out/a": "1" },
    },
    {
      what: "what Git keeps, when asked",
      files: { "in/a": "1", "in/.git/config": "2" },
      config: { inPath: "in", outPath: "out", ignore: "!.git/" },
      makes: { "out/a": "1", "out/.git/config": "2" },
    },
    {
      what: "all but what is ignored",
      files: {
        "in/a.go": "1",
        "in/a.txt": "2",
        "in/b/c.txt": "3",
        "in/b/keep.txt": "4",
        "in/docs/d": "5",
        "in/e/docs": "6",
      },
      config: { inPath: "in", outPath: "out", ignore: "# comment\n*.txt\n\n!keep.txt\ndocs/\n" },
      makes: { "out/a.go": "1", "out/b/keep.txt": "4", "out/e/docs": "6" },
    },
    {
      what: "with rules that hold at the top only",
      files: { "in/build/a": "1", "in/b/build/c": "2" },
      config: { inPath: "in", outPath: "out", ignore: "/build" },
      makes: { "out/b/build/c": "2" },
    },
    {
      what: "a single file, whatever the rules say",
      files: { "a.txt": "1" },
      config: { inPath: "a.txt", outPath: "b.txt", ignore: "*.txt" },
      makes: { "b.txt": "1" },
    },
    {
      what: "the workspace into a folder of it",
      files: { a: "1", "b/c": "2" },
      config: { inPath: ".", outPath: "./b/out" },
      makes: { "b/out/a": "1", "b/out/b/c": "2" },
    },
  ])("copies $what", async ({ files, config, makes }) => {
    const ctx = await workspaceWith(files);
    expect(await runStep(copy, config, ctx)).toEqual({ status: "succeeded" });
    expect(await listTree(ctx.workspace.root)).toEqual({ ...files, ...makes });
  });

  it("leaves symbolic links out", async () => {
    const ctx = await workspaceWith({ "in/a": "1" });
    await symlink("a", path.join(ctx.workspace.root, "in/link"));
    await symlink("/etc", path.join(ctx.workspace.root, "in/out"));
    await runStep(copy, { inPath: "in", outPath: "out" }, ctx);
    expect(await listTree(path.join(ctx.workspace.root, "out"))).toEqual({ a: "1" });
  });

  it("keeps modes", async () => {
    const ctx = await workspaceWith({ "in/run": "1" });
    await chmod(path.join(ctx.workspace.root, "in/run"), 0o750);
    await chmod(path.join(ctx.workspace.root, "in"), 0o700);
    await runStep(copy, { inPath: "in", outPath: "out" }, ctx);
    expect((await stat(path.join(ctx.workspace.root, "out/run"))).mode & 0o777).toBe(0o750);
    expect((await stat(path.join(ctx.workspace.root, "out"))).mode & 0o777).toBe(0o700);
  });

  it.each([
    { what: "a link", make: (outside: string, at: string) => symlink(outside, at), safe: false },
    { what: "a hard link", make: (outside: string, at: string) => link(outside, at), safe: true },
  ])("does not write through $what in the target", async ({ make, safe }) => {
    const outside = path.join(temporaryFolder(), "secret");
    await writeFile(outside, "secret");
    const ctx = await workspaceWith({ "in/a": "1" });
    await mkdir(path.join(ctx.workspace.root, "out"));
    await make(outside, path.join(ctx.workspace.root, "out/a"));
    const copying = runStep(copy, { inPath: "in", outPath: "out" }, ctx);
    if (safe) await copying;
    else await expect(copying).rejects.toMatchObject({ kind: "refused" });
    expect(await readFile(outside, "utf8")).toBe("secret");
  });

  it("fails when there is nothing to copy", async () => {
    await expect(runStep(copy, { inPath: "a", outPath: "b" })).rejects.toMatchObject({
      kind: "errored",
      message: 'Cannot copy "a" to "b": there is no such file',
    });
  });

  it.each([
    {},
    { inPath: "a" },
    { outPath: "a" },
    { inPath: "", outPath: "a" },
    { inPath: "a", outPath: "b", ignore: "" },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(copy, config)).rejects.toMatchObject({ kind: "config" });
  });
});
