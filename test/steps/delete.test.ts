import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import deleteStep from "#steps/delete.ts";
import { contextWith } from "#test/support/files.ts";
import { runStep, temporaryFolder } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

describe("delete", () => {
  it.each([
    { what: "a file", files: { a: "1", b: "2" }, config: { path: "a" }, left: ["b"] },
    { what: "a folder", files: { "a/b": "1", "a/c/d": "2", e: "3" }, config: { path: "a" }, left: ["e"] },
    { what: "nothing where nothing is", files: { b: "2" }, config: { path: "a" }, left: ["b"] },
    { what: "nothing below nothing", files: { b: "2" }, config: { path: "x/a" }, left: ["b"] },
    { what: "a link and not its target", files: { a: "1", l: "-> a" }, config: { path: "l" }, left: ["a"] },
    { what: "a link to a folder", files: { "a/b": "1", l: "-> a" }, config: { path: "l/" }, left: ["a/b"] },
    {
      what: "below a link that stays inside",
      files: { "a/b": "1", l: "-> a" },
      config: { path: "l/b" },
      left: ["l"],
    },
    { what: "a dangling link", files: { l: "-> none" }, config: { path: "l", strict: true }, left: [] },
    { what: "several paths", files: { a: "1", b: "2", c: "3" }, config: { paths: ["a", "c"] }, left: ["b"] },
    {
      what: "a folder and a file of it",
      files: { "a/b": "1" },
      config: { paths: ["a", "a/b"], strict: true },
      left: [],
    },
    { what: "by literal names", files: { "a[1]": "1", a1: "2" }, config: { path: "a[1]" }, left: ["a1"] },
    {
      what: "by a pattern",
      files: { "a.txt": "1", "b.txt": "2", "c.md": "3", "d/e.txt": "4" },
      config: { path: "*.txt", pathsAreGlobs: true },
      left: ["c.md", "d/e.txt"],
    },
    {
      what: "by a deep pattern",
      files: { "a.tmp": "1", "b/c.tmp": "2", "b/d": "3" },
      config: { path: "**/*.tmp", pathsAreGlobs: true },
      left: ["b/d"],
    },
    {
      what: "by a pattern with ./",
      files: { "a.txt": "1", b: "2" },
      config: { paths: ["./*.txt"], pathsAreGlobs: true, strict: true },
      left: ["b"],
    },
    {
      what: "a folder by a pattern",
      files: { "build/a": "1", b: "2" },
      config: { path: "buil*", pathsAreGlobs: true },
      left: ["b"],
    },
    {
      what: "a link by a pattern",
      files: { a: "1", "l.x": "-> a" },
      config: { path: "l.*", pathsAreGlobs: true },
      left: ["a"],
    },
    {
      what: "by alternatives",
      files: { "a.x": "1", "b.y": "2", "c.z": "3" },
      config: { path: "*.{x,y}", pathsAreGlobs: true },
      left: ["c.z"],
    },
    {
      what: "names with a dot",
      files: { ".a": "1", b: "2" },
      config: { path: ".*", pathsAreGlobs: true },
      left: ["b"],
    },
    {
      what: "a pattern that is a plain name",
      files: { a: "1", b: "2" },
      config: { path: "a", pathsAreGlobs: true, strict: true },
      left: ["b"],
    },
    {
      what: "a folder by a pattern for all that is in it",
      files: { "a/b/c": "1", d: "2" },
      config: { path: "a/**", pathsAreGlobs: true },
      left: ["d"],
    },
    {
      what: "nothing for a pattern without a match",
      files: { a: "1" },
      config: { path: "*.x", pathsAreGlobs: true },
      left: ["a"],
    },
  ])("deletes $what", async ({ files, config, left }) => {
    const ctx = await contextWith(files);
    expect(await runStep(deleteStep, config, ctx)).toEqual({ status: "succeeded" });
    expect(Object.keys(await listTree(ctx.workspace.root))).toEqual(left);
  });

  it.each([
    { config: { path: "none", strict: true }, says: '"none" does not exist' },
    { config: { path: "none/a", strict: true }, says: '"none/a" does not exist' },
    { config: { paths: ["keep", "none"], strict: true }, says: '"none" does not exist' },
    { config: { path: "*.x", pathsAreGlobs: true, strict: true }, says: 'no paths match the pattern "*.x"' },
    {
      config: { paths: ["*", "*.x"], pathsAreGlobs: true, strict: true },
      says: 'no paths match the pattern "*.x"',
    },
    { config: { path: "[", pathsAreGlobs: true }, says: 'Cannot read pattern "["' },
    { config: { path: "../*", pathsAreGlobs: true }, says: "out of the workspace" },
    { config: { path: "../outside" }, says: "out of the workspace" },
    { config: { path: ".." }, says: "out of the workspace" },
    { config: { path: "**", pathsAreGlobs: true }, says: "it is the workspace itself" },
    { config: { path: "." }, says: "it is the workspace itself" },
    { config: { path: "out/secret" }, says: '"out" is a symbolic link' },
    { config: { path: "out/*", pathsAreGlobs: true }, says: '"out" is a symbolic link' },
  ])("$config deletes nothing and fails", async ({ config, says }) => {
    const outside = temporaryFolder();
    await writeFile(path.join(outside, "secret"), "secret");
    const ctx = await contextWith({ keep: "1", out: `-> ${outside}` });
    await expect(runStep(deleteStep, config, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
    expect(await ctx.workspace.exists("keep")).toBe(true);
    expect(await readFile(path.join(outside, "secret"), "utf8")).toBe("secret");
  });

  it("does not follow links that lead out, whatever matches behind them", async () => {
    const outside = temporaryFolder();
    await mkdir(path.join(outside, "x"));
    await writeFile(path.join(outside, "x/a.tmp"), "secret");
    const ctx = await contextWith({ "b/c.tmp": "1" });
    await symlink(outside, path.join(ctx.workspace.root, "b/link"));
    await runStep(deleteStep, { path: "**/*.tmp", pathsAreGlobs: true }, ctx);
    expect(await readFile(path.join(outside, "x/a.tmp"), "utf8")).toBe("secret");
  });

  it.each([
    {},
    { path: "" },
    { paths: [] },
    { paths: [""] },
    { path: "a", paths: ["b"] },
    { path: "a", pathsAreGlobs: "yes" },
    { path: "a", recursive: true },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(deleteStep, config)).rejects.toMatchObject({ kind: "config" });
  });
});
