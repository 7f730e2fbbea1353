import { stat } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import fileWrite from "#steps/file-write.ts";
import { contextWith } from "#test/support/files.ts";
import { runStep } from "#test/support/step-context.ts";

describe("file-write", () => {
  it.each([
    { what: "a new file", config: { path: "out/a.yaml", contents: "a: 1\n" }, mode: 0o600 },
    { what: "no line end of its own", config: { path: "a", contents: "a" }, mode: 0o600 },
    { what: "nothing", config: { path: "a", contents: "" }, mode: 0o600 },
    { what: "with a mode", config: { path: "a", contents: "a", permissions: "0644" }, mode: 0o644 },
    {
      what: "over a file",
      config: { path: "old", contents: "new", overwrite: true, permissions: "0640" },
      mode: 0o640,
    },
  ])("writes $what", async ({ config, mode }) => {
    const ctx = await contextWith({ old: "old" });
    expect(await runStep(fileWrite, config, ctx)).toEqual({ status: "succeeded" });
    expect(await ctx.workspace.readText(config.path)).toBe(config.contents);
    expect((await stat(path.join(ctx.workspace.root, config.path))).mode & 0o777).toBe(mode);
  });

  it("may run twice", async () => {
    const ctx = await contextWith({});
    const config = { path: "a", contents: "1" };
    await runStep(fileWrite, config, ctx);
    expect(await runStep(fileWrite, config, ctx)).toMatchObject({ status: "succeeded" });
  });

  it.each([
    { config: { path: "old", contents: "new" }, says: "it exists, and overwrite is not set" },
    { config: { path: "../a", contents: "x" }, says: '".." leads out' },
    { config: { path: "a/../../b", contents: "x" }, says: '".." leads out' },
    { config: { path: "/a", contents: "x" }, says: "must be relative" },
    { config: { path: ".git/config", contents: "x" }, says: "into .git" },
    { config: { path: "src/.git/hooks/pre-push", contents: "x" }, says: "into .git" },
    { config: { path: "link/a", contents: "x" }, says: "symbolic link" },
    { config: { path: "out/a", contents: "x" }, says: "symbolic link" },
    { config: { path: "old", contents: "x", overwrite: true, permissions: "0755" }, says: "executable" },
    {
      config: { path: "old", contents: "x", overwrite: true, permissions: "0666" },
      says: "everybody may write",
    },
  ])("$config fails for good", async ({ config, says }) => {
    const ctx = await contextWith({ old: "old", "folder/": "", link: "-> folder", out: "-> /tmp" });
    await expect(runStep(fileWrite, config, ctx)).rejects.toMatchObject({
      status: "Failed",
      terminal: true,
      message: expect.stringContaining(says),
    });
    expect(await ctx.workspace.readText("old")).toBe("old");
  });

  it("does not write over a folder", async () => {
    const ctx = await contextWith({ "folder/a": "1" });
    const writing = runStep(fileWrite, { path: "folder", contents: "x", overwrite: true }, ctx);
    await expect(writing).rejects.toMatchObject({ status: "Errored" });
  });

  it.each([
    {},
    { path: "a" },
    { path: "", contents: "x" },
    { path: "a", contents: 1 },
    { path: "a", contents: "x", permissions: 644 },
    { path: "a", contents: "x", permissions: "1777" },
    { path: "a", contents: "x", permissions: "0888" },
    { path: "a", contents: "x", mode: "0644" },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(fileWrite, config)).rejects.toMatchObject({ kind: "config" });
  });
});
