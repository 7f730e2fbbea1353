import { execFileSync } from "node:child_process";
import { chmod, link, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { Workspace } from "#core/workspace.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

let outside: string;
let workspace: Workspace;

beforeEach(async () => {
  outside = temporaryFolder();
  await writeFile(path.join(outside, "secret"), "secret");
  const root = path.join(outside, "root");
  await mkdir(path.join(root, "folder/inner"), { recursive: true });
  await writeFile(path.join(root, "folder/file"), "content");
  await symlink(root, path.join(outside, "alias"));
  workspace = await openWorkspace(path.join(outside, "alias"));
});

describe("paths inside", () => {
  it.each([
    ["", "."],
    [".", "."],
    ["/", "."],
    ["folder/file", "folder/file"],
    ["/folder/file", "folder/file"],
    ["./folder//./file", "folder/file"],
    ["folder/../folder/file", "folder/file"],
    ["not/there/yet", "not/there/yet"],
    ["not/../folder", "folder"],
    ["..folder/...", "..folder/..."],
  ])("%j means %j", async (wanted, real) => {
    expect(await workspace.resolve(wanted)).toBe(path.join(workspace.root, real));
  });

  it.each([
    { links: { link: "folder" }, wanted: "link/file", real: "folder/file" },
    { links: { link: "folder/inner" }, wanted: "link/../file", real: "folder/file" },
    { links: { a: "b", b: "c", c: "folder" }, wanted: "a/file", real: "folder/file" },
    { links: { "folder/up": "../folder/inner" }, wanted: "folder/up", real: "folder/inner" },
    { links: { dangling: "not/yet" }, wanted: "dangling", real: "not/yet" },
    { links: { absolute: "ROOT/folder" }, wanted: "absolute/file", real: "folder/file" },
    { links: { absolute: "ALIAS/folder" }, wanted: "absolute/file", real: "folder/file" },
    { links: { absolute: "ROOT" }, wanted: "absolute/folder", real: "folder" },
  ])("$wanted is followed through $links", async ({ links, wanted, real }) => {
    await makeLinks(links);
    expect(await workspace.resolve(wanted)).toBe(path.join(workspace.root, real));
  });
});

describe("paths that leave", () => {
  it.each([
    { wanted: "..", why: '".." leads out of the workspace' },
    { wanted: "../secret", why: '".." leads out of the workspace' },
    { wanted: "folder/../../secret", why: '".." leads out of the workspace' },
    { wanted: "/../secret", why: '".." leads out of the workspace' },
    { wanted: "nowhere/../../secret", why: '".." leads out of the workspace' },
    { wanted: "folder\0/file", why: "NUL" },
    { wanted: `${"x".repeat(300)}/file`, why: "too long" },
    { links: { out: "../secret" }, wanted: "out", why: '"out" is a symbolic link to "../secret"' },
    { links: { out: "/etc/passwd" }, wanted: "out", why: '"out" is a symbolic link to "/etc/passwd"' },
    { links: { out: "/" }, wanted: "out/etc/passwd", why: '"out" is a symbolic link to "/"' },
    {
      links: { a: "b", b: "folder/c", "folder/c": "../.." },
      wanted: "a/secret",
      why: '"folder/c" is a symbolic',
    },
    { links: { out: "../not-there" }, wanted: "out", why: "outside of the workspace" },
    { links: { out: "../not-there" }, wanted: "out/file", why: "outside of the workspace" },
    { links: { out: "OUTSIDE/root-of-another" }, wanted: "out", why: "outside of the workspace" },
    { links: { link: "folder" }, wanted: "link/../../secret", why: "leads out of the workspace" },
    { links: { a: "b", b: "a" }, wanted: "a", why: "more than 40 symbolic links" },
    { links: { self: "self/x" }, wanted: "self", why: "more than 40 symbolic links" },
  ])("$wanted with $links is refused", async ({ links = {}, wanted, why }) => {
    await makeLinks(links);
    for (const use of [
      () => workspace.resolve(wanted),
      () => workspace.readText(wanted),
      () => workspace.write(wanted, "x"),
      () => workspace.exists(wanted),
    ]) {
      await expect(use()).rejects.toMatchObject({ kind: "refused", message: expect.stringContaining(why) });
    }
    expect(await readFile(path.join(outside, "secret"), "utf8")).toBe("secret");
  });
});

describe("files", () => {
  it("are written with the folders on their way, and read", async () => {
    await workspace.write("new/deep/file", "text");
    expect(await workspace.readText("new/deep/file")).toBe("text");
    expect(Buffer.from(await workspace.readBytes("new/deep/file"))).toEqual(Buffer.from("text"));
    expect(await workspace.exists("new/deep/file")).toBe(true);
    expect(await workspace.exists("new/deep/other")).toBe(false);
  });

  it("are written behind a link that stays inside", async () => {
    await makeLinks({ link: "folder/file" });
    await workspace.write("link", "changed");
    expect(await workspace.readText("folder/file")).toBe("changed");
    expect((await stat(path.join(workspace.root, "link"))).isFile()).toBe(true);
  });

  it("keep their mode when they are replaced", async () => {
    const file = path.join(workspace.root, "folder/file");
    await chmod(file, 0o755);
    await workspace.write("folder/file", "changed");
    expect((await stat(file)).mode & 0o777).toBe(0o755);
  });

  it("are cut from their hard links before they change", async () => {
    await link(path.join(outside, "secret"), path.join(workspace.root, "hard"));
    await workspace.write("hard", "changed");
    expect(await readFile(path.join(outside, "secret"), "utf8")).toBe("secret");
  });

  it.each([
    { wanted: "nothing", message: 'Cannot read file "nothing": there is no such file' },
    { wanted: "folder", message: 'Cannot read file "folder": it is a folder' },
    { wanted: "folder/file/x", message: 'Cannot read file "folder/file/x": a part of its path is a file' },
    { wanted: "fifo", message: 'Cannot read file "fifo": it is not a regular file' },
  ])("a read of $wanted fails in words", async ({ wanted, message }) => {
    execFileSync("mkfifo", [path.join(workspace.root, "fifo")]);
    await expect(workspace.readText(wanted)).rejects.toMatchObject({
      kind: "errored",
      message: expect.stringContaining(message),
    });
  });

  it("are not written where a folder is", async () => {
    await expect(workspace.write("folder", "x")).rejects.toThrow(
      'Cannot write file "folder": it is a folder',
    );
  });
});

async function makeLinks(links: Record<string, string | undefined>): Promise<void> {
  for (const [at, target = ""] of Object.entries(links)) {
    const filled = target
      .replace("ROOT", workspace.root)
      .replace("ALIAS", path.join(outside, "alias"))
      .replace("OUTSIDE", outside);
    await symlink(filled, path.join(workspace.root, at));
  }
}
