import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { StepContext } from "#core/step.ts";
import gitClear from "#steps/git-clear.ts";
import gitClone from "#steps/git-clone.ts";
import gitCommit from "#steps/git-commit.ts";
import gitTag from "#steps/git-tag.ts";
import { bareRepository, git } from "#test/support/git-fixture.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";

/** A context whose workspace has `main` checked out at `out`. */
async function cloned(
  files: Record<string, string> = { "app.yaml": "one" },
  more: object = {},
): Promise<StepContext> {
  const ctx = fakeContext();
  const config = { repoURL: bareRepository([files]), checkout: [{ branch: "main", path: "out" }], ...more };
  await runStep(gitClone, config, ctx);
  return ctx;
}

const write = (ctx: StepContext, name: string, text: string) =>
  writeFileSync(path.join(ctx.workspace.root, name), text);
const inOut = (ctx: StepContext, ...args: string[]) => git(path.join(ctx.workspace.root, "out"), ...args);

describe("git-commit", () => {
  it("commits new, changed and deleted files", async () => {
    const ctx = await cloned({ "app.yaml": "one", "old.yaml": "x" });
    write(ctx, "out/app.yaml", "two");
    write(ctx, "out/new.yaml", "new");
    inOut(ctx, "rm", "-q", "old.yaml");
    const message = "Change three files\n\n# not a comment\n";
    const outcome = await runStep(gitCommit, { path: "out", message }, ctx);

    expect(outcome).toEqual({ status: "succeeded", output: { commit: inOut(ctx, "rev-parse", "HEAD") } });
    expect(inOut(ctx, "show", "--format=%B%an", "--name-status", "HEAD").split("\n")).toEqual([
      "Change three files",
      "",
      "# not a comment",
      "Kargo",
      "",
      "M\tapp.yaml",
      "A\tnew.yaml",
      "D\told.yaml",
    ]);
  });

  it("is skipped without changes and names the commit that is there", async () => {
    const ctx = await cloned();
    expect(await runStep(gitCommit, { path: "out", message: "m" }, ctx)).toEqual({
      status: "skipped",
      message: "There is nothing to commit",
      output: { commit: inOut(ctx, "rev-parse", "HEAD") },
    });
  });

  it("knows its commit again when it is run again after a crash", async () => {
    const ctx = await cloned();
    write(ctx, "out/app.yaml", "two");
    const first = await runStep(gitCommit, { path: "out", message: "m" }, ctx);
    expect(await runStep(gitCommit, { path: "out", message: "m" }, ctx)).toEqual(first);
    expect(inOut(ctx, "log", "--format=%s").split("\n")).toEqual(["m", "Commit 1"]);
  });

  it("gets over the lock that a killed git left", async () => {
    const ctx = await cloned();
    write(ctx, "out/app.yaml", "two");
    writeFileSync(
      path.resolve(ctx.workspace.root, "out", inOut(ctx, "rev-parse", "--git-path", "index.lock")),
      "",
    );
    expect(await runStep(gitCommit, { path: "out", message: "m" }, ctx)).toMatchObject({
      status: "succeeded",
    });
  });

  it("names the author of the step before that of the clone", async () => {
    const ctx = await cloned({ a: "1" }, { author: { name: "Clone", email: "clone@x.example" } });
    write(ctx, "out/a", "2");
    await runStep(gitCommit, { path: "out", message: "one" }, ctx);
    const again = { ...ctx, once: fakeContext().once };
    write(ctx, "out/a", "3");
    const author = { name: "Step", email: "step@x.example" };
    await runStep(gitCommit, { path: "out", message: "two", author }, again);
    expect(inOut(ctx, "log", "-2", "--format=%an/%ce").split("\n")).toEqual([
      "Step/step@x.example",
      "Clone/clone@x.example",
    ]);
  });

  it("takes what looks like an option or an expression in a message as text", async () => {
    const ctx = await cloned();
    write(ctx, "out/a", "");
    const message = "--amend ${{ secret('x') }} `id` $(id)";
    await runStep(gitCommit, { path: "out", message }, ctx);
    expect(inOut(ctx, "log", "-1", "--format=%s")).toBe(message);
  });

  it("works in a repository that no step has cloned", async () => {
    const ctx = fakeContext();
    git(ctx.workspace.root, "init", "-q", "out");
    write(ctx, "out/a", "");
    expect(await runStep(gitCommit, { path: "out", message: "m" }, ctx)).toMatchObject({
      status: "succeeded",
    });
    expect(inOut(ctx, "log", "-1", "--format=%an <%ae>")).toBe("Kargo <no-reply@kargo.io>");
  });

  it("runs no hook and no filter of the repository", async () => {
    const ctx = await cloned();
    const proof = path.join(temporaryFolder(), "ran");
    const hooks = path.resolve(
      ctx.workspace.root,
      "out",
      inOut(ctx, "rev-parse", "--git-common-dir"),
      "hooks",
    );
    mkdirSync(hooks, { recursive: true });
    for (const hook of ["pre-commit", "post-commit", "post-index-change", "reference-transaction"]) {
      writeFileSync(path.join(hooks, hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    }
    write(ctx, "out/app.yaml", "two");
    await runStep(gitCommit, { path: "out", message: "m" }, ctx);
    expect(existsSync(proof)).toBe(false);
  });
});

describe("a work tree that is not to be trusted", () => {
  const config = { path: "out", message: "m" };

  it.each([
    ["core.fsmonitor", "touch /tmp/x"],
    ["core.sshCommand", "touch /tmp/x"],
    ["filter.x.clean", "touch /tmp/x"],
    ["alias.status", "!touch /tmp/x"],
    ["include.path", "/nonexistent/config"],
    ["credential.helper", "!touch /tmp/x"],
    ["remote.origin.receivepack", "touch /tmp/x"],
    ["remote.origin.uploadpack", "touch /tmp/x"],
    ["url.https://evil.example/.insteadOf", "https://github.com/"],
    ["gpg.program", "/tmp/x"],
    ["diff.external", "/tmp/x"],
    ["submodule.x.update", "!touch /tmp/x"],
  ])("is refused when its configuration sets %s", async (key, value) => {
    const ctx = fakeContext();
    git(ctx.workspace.root, "init", "-q", "out");
    inOut(ctx, "config", key, value);
    await expect(runStep(gitCommit, config, ctx)).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining(key.toLowerCase().split(".")[0] ?? ""),
    });
  });

  it("is refused when its repository is outside of the workspace", async () => {
    const elsewhere = temporaryFolder();
    git(elsewhere, "init", "-q", "repo");
    const ctx = fakeContext();
    mkdirSync(path.join(ctx.workspace.root, "out"));
    write(ctx, "out/.git", `gitdir: ${elsewhere}/repo/.git\n`);
    await expect(runStep(gitCommit, config, ctx)).rejects.toMatchObject({ kind: "refused" });
  });

  it("is refused when it borrows objects from outside of the workspace", async () => {
    const ctx = fakeContext();
    git(ctx.workspace.root, "clone", "-q", "--shared", bareRepository([{ a: "" }]), "out");
    await expect(runStep(gitCommit, config, ctx)).rejects.toMatchObject({ kind: "refused" });
  });

  it.each([
    { why: "no folder", make: () => {} },
    { why: "no repository", make: (out: string) => mkdirSync(out) },
    { why: "a link out of the workspace", make: (out: string) => symlinkSync(temporaryFolder(), out) },
  ])("ends in Errored when there is $why", async ({ make }) => {
    const ctx = fakeContext();
    make(path.join(ctx.workspace.root, "out"));
    await expect(runStep(gitCommit, config, ctx)).rejects.toMatchObject({ status: "Errored" });
  });

  it("is not looked for above the workspace", async () => {
    const above = temporaryFolder();
    git(above, "init", "-q");
    mkdirSync(path.join(above, "work/out"), { recursive: true });
    const { workspaceAt } = await import("#core/workspace-folder.ts");
    const ctx = fakeContext({ workspace: workspaceAt(path.join(above, "work")) });
    await expect(runStep(gitCommit, config, ctx)).rejects.toMatchObject({ status: "Errored" });
  });
});

describe("git-clear", () => {
  it("deletes all files but .git and those that are ignored", async () => {
    const ctx = await cloned({ a: "", "b/c": "", ".gitignore": "*.log\n" });
    write(ctx, "out/untracked", "");
    write(ctx, "out/x.log", "");
    expect(await runStep(gitClear, { path: "out" }, ctx)).toEqual({ status: "succeeded" });
    expect(readdirSync(path.join(ctx.workspace.root, "out")).sort()).toEqual([".git", "x.log"]);
    expect(await runStep(gitClear, { path: "out" }, ctx)).toMatchObject({ status: "succeeded" });
  });

  it("does not follow links", async () => {
    const ctx = await cloned();
    const outside = temporaryFolder();
    writeFileSync(path.join(outside, "precious"), "x");
    symlinkSync(outside, path.join(ctx.workspace.root, "out/link"));
    await runStep(gitClear, { path: "out" }, ctx);
    expect(readFileSync(path.join(outside, "precious"), "utf8")).toBe("x");
  });

  it("fails without a path", async () => {
    await expect(runStep(gitClear, { path: "" })).rejects.toMatchObject({ status: "Failed" });
  });
});

describe("git-tag", () => {
  it("makes an annotated tag of HEAD", async () => {
    const ctx = await cloned();
    const commit = inOut(ctx, "rev-parse", "HEAD");
    expect(await runStep(gitTag, { path: "out", tag: "v1.0.0", message: "First" }, ctx)).toEqual({
      status: "succeeded",
      output: { commit },
    });
    expect(
      inOut(ctx, "for-each-ref", "--format=%(objecttype) %(subject) %(taggername)", "refs/tags/v1.0.0"),
    ).toBe("tag First Kargo");
  });

  it("ends in Errored for a tag that is there, unless it is forced", async () => {
    const ctx = await cloned();
    inOut(ctx, "tag", "v1", "HEAD");
    const config = { path: "out", tag: "v1", message: "m" };
    await expect(runStep(gitTag, config, ctx)).rejects.toMatchObject({ status: "Errored", terminal: false });
    await runStep(gitTag, { ...config, force: true }, ctx);
    expect(inOut(ctx, "for-each-ref", "--format=%(objecttype)", "refs/tags/v1")).toBe("tag");
  });

  it("knows its tag again when it is run again after a crash", async () => {
    const ctx = await cloned();
    const config = { path: "out", tag: "v1", message: "m" };
    const first = await runStep(gitTag, config, ctx);
    expect(await runStep(gitTag, config, ctx)).toEqual(first);
  });

  it.each(["-d", "--force", "a..b", "a b", "x.lock", ""])("takes %j for no tag", async (tag) => {
    const ctx = await cloned();
    await expect(runStep(gitTag, { path: "out", tag, message: "m" }, ctx)).rejects.toMatchObject({
      terminal: true,
    });
  });
});
