import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { StepContext } from "#core/step.ts";
import gitClone from "#steps/git-clone.ts";
import gitCommit from "#steps/git-commit.ts";
import gitPush from "#steps/git-push.ts";
import gitTag from "#steps/git-tag.ts";
import { bareRepository, commitTo, fileOn, git, subjectsOn } from "#test/support/git-fixture.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";

/** A promotion that has committed `files` to `main` and is about to push. */
async function committed(
  repoURL: string,
  files: Record<string, string>,
  overrides: Partial<StepContext> = {},
): Promise<StepContext> {
  const ctx = fakeContext(overrides);
  await runStep(gitClone, { repoURL, checkout: [{ branch: "main", path: "out" }] }, ctx);
  await commitMore(ctx, files);
  return ctx;
}

async function commitMore(ctx: StepContext, files: Record<string, string>): Promise<void> {
  for (const [name, text] of Object.entries(files))
    writeFileSync(path.join(ctx.workspace.root, "out", name), text);
  const message = `Write ${Object.keys(files).join(", ")}`;
  await runStep(gitCommit, { path: "out", message }, { ...ctx, once: fakeContext().once });
}

const inOut = (ctx: StepContext, ...args: string[]) => git(path.join(ctx.workspace.root, "out"), ...args);

describe("git-push", () => {
  it("pushes to the branch that is checked out", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "2" });
    const commit = inOut(ctx, "rev-parse", "HEAD");
    expect(await runStep(gitPush, { path: "out" }, ctx)).toEqual({
      status: "succeeded",
      output: { branch: "main", commit },
    });
    expect(git(repoURL, "rev-parse", "main")).toBe(commit);
  });

  it("pushes to another branch, and to one of the promotion's own", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "2" });
    const commit = inOut(ctx, "rev-parse", "HEAD");
    expect(await runStep(gitPush, { path: "out", targetBranch: "env/x" }, ctx)).toMatchObject({
      output: { branch: "env/x", commit },
    });
    const generated = `kargo/promotion/${ctx.promotion}`;
    expect(await runStep(gitPush, { path: "out", generateTargetBranch: true }, ctx)).toMatchObject({
      output: { branch: generated, commit },
    });
    expect(git(repoURL, "rev-parse", "env/x", generated).split("\n")).toEqual([commit, commit]);
    expect(subjectsOn(repoURL, "main")).toEqual(["Commit 1"]);
  });

  it("pushes a detached commit to a new branch", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "2" });
    inOut(ctx, "checkout", "-q", "--detach");
    await expect(runStep(gitPush, { path: "out" }, ctx)).rejects.toMatchObject({ status: "Errored" });
    expect(await runStep(gitPush, { path: "out", targetBranch: "new" }, ctx)).toMatchObject({
      status: "succeeded",
    });
  });

  it("rebases on what others pushed meanwhile", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { b: "mine" });
    commitTo(repoURL, "main", { a: "theirs" }, "Theirs");
    const outcome = await runStep(gitPush, { path: "out" }, ctx);
    expect(subjectsOn(repoURL, "main")).toEqual(["Write b", "Theirs", "Commit 1"]);
    expect(outcome).toMatchObject({ output: { commit: git(repoURL, "rev-parse", "main") } });
  });

  it("merges what others pushed when the operator wants merges", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { b: "mine" });
    commitTo(repoURL, "main", { a: "theirs" }, "Theirs");
    process.env.GIT_PUSH_INTEGRATION_POLICY = "AlwaysMerge";
    try {
      await runStep(gitPush, { path: "out" }, ctx);
    } finally {
      delete process.env.GIT_PUSH_INTEGRATION_POLICY;
    }
    expect(git(repoURL, "log", "-1", "--format=%s %an", "main")).toBe(
      `Merge branch 'main' of ${repoURL.replace(/\.git$/, "")} Kargo`,
    );
    expect(fileOn(repoURL, "main", "a") + fileOn(repoURL, "main", "b")).toBe("theirsmine");
  });

  it("fails for good on a conflict, and leaves the work tree as it was", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "mine" });
    commitTo(repoURL, "main", { a: "theirs" });
    const before = inOut(ctx, "rev-parse", "HEAD");
    await expect(runStep(gitPush, { path: "out" }, ctx)).rejects.toMatchObject({
      status: "Failed",
      terminal: true,
      message: expect.stringContaining("merge conflict"),
    });
    expect(inOut(ctx, "rev-parse", "HEAD")).toBe(before);
    expect(inOut(ctx, "status", "--short")).toBe("");
  });

  it("overwrites the branch when it is forced", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "mine" });
    commitTo(repoURL, "main", { a: "theirs" });
    await runStep(gitPush, { path: "out", force: true }, ctx);
    expect(subjectsOn(repoURL, "main")).toEqual(["Write a", "Commit 1"]);
  });

  it("does not push again what arrived before a crash, not even by force", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "mine" });
    const first = await runStep(gitPush, { path: "out", force: true }, ctx);
    commitTo(repoURL, "main", { b: "later" }, "Later");
    expect(await runStep(gitPush, { path: "out", force: true }, ctx)).toEqual(first);
    expect(await runStep(gitPush, { path: "out" }, ctx)).toEqual(first);
    expect(subjectsOn(repoURL, "main")).toEqual(["Later", "Write a", "Commit 1"]);
  });

  it("moves a branch back by force when the crash came before the push", async () => {
    const repoURL = bareRepository([{ a: "1" }, { a: "2" }]);
    const [newer = "", older = ""] = git(repoURL, "log", "--format=%H", "main").split("\n");
    const ctx = fakeContext();
    await runStep(gitClone, { repoURL, checkout: [{ commit: older, path: "out" }] }, ctx);
    const config = { path: "out", targetBranch: "main", force: true };
    await runStep(gitPush, config, ctx);
    // As it was between the note of the push and the push.
    git(repoURL, "update-ref", "refs/heads/main", newer);
    await runStep(gitPush, config, ctx);
    expect(git(repoURL, "rev-parse", "main")).toBe(older);
  });

  it("takes up a push that was interrupted in its rebase", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "mine" });
    commitTo(repoURL, "main", { a: "theirs" });
    inOut(ctx, "fetch", "-q", "origin", "main");
    expect(() => inOut(ctx, "-c", "user.name=x", "-c", "user.email=x@y", "rebase", "FETCH_HEAD")).toThrow();
    commitTo(repoURL, "main", { a: "1" }, "Take it back");
    expect(await runStep(gitPush, { path: "out" }, ctx)).toMatchObject({ status: "succeeded" });
    expect(subjectsOn(repoURL, "main")[0]).toBe("Write a");
  });

  it("pushes a tag, and ends in Errored when the remote has another of that name", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "2" });
    await runStep(gitTag, { path: "out", tag: "v1", message: "m" }, ctx);
    const commit = inOut(ctx, "rev-parse", "HEAD");
    const pushed = await runStep(gitPush, { path: "out", tag: "v1" }, ctx);
    expect(pushed).toEqual({ status: "succeeded", output: { branch: "main", commit } });
    expect(git(repoURL, "rev-parse", "v1^{commit}")).toBe(commit);
    expect(await runStep(gitPush, { path: "out", tag: "v1" }, ctx)).toEqual(pushed);

    const other = { ...ctx, once: fakeContext().once };
    await runStep(gitTag, { path: "out", tag: "v1", message: "other", force: true }, other);
    await expect(runStep(gitPush, { path: "out", tag: "v1" }, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("already exists"),
    });
    await expect(runStep(gitPush, { path: "out", tag: "v2" }, ctx)).rejects.toMatchObject({
      status: "Errored",
    });
  });

  it("runs no hook of a repository on this machine", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const ctx = await committed(repoURL, { a: "2" });
    const proof = path.join(temporaryFolder(), "ran");
    mkdirSync(path.join(repoURL, "hooks"), { recursive: true });
    for (const hook of ["pre-receive", "update", "post-receive", "post-update"]) {
      writeFileSync(path.join(repoURL, "hooks", hook), `#!/bin/sh\ntouch ${proof}\n`, { mode: 0o755 });
    }
    await runStep(gitPush, { path: "out" }, ctx);
    expect(existsSync(proof)).toBe(false);
    expect(subjectsOn(repoURL, "main")[0]).toBe("Write a");
  });

  it("brings the commits of many promotions to one branch, all of them once", async () => {
    const repoURL = bareRepository([{ a: "1" }]);
    const shared = fakeContext();
    const names = Array.from({ length: 12 }, (_, index) => `stage-${index}`);
    const promotions = await Promise.all(
      names.map((name) =>
        committed(repoURL, { [name]: name }, { exclusively: shared.exclusively, idempotencyKey: name }),
      ),
    );
    await Promise.all(promotions.map((ctx) => runStep(gitPush, { path: "out" }, ctx)));
    expect(subjectsOn(repoURL, "main").sort()).toEqual([
      "Commit 1",
      ...names.map((name) => `Write ${name}`).sort(),
    ]);
  });

  it.each(["--force", "-d", "a..b", "refs/heads/", "x y", "a:b"])(
    "takes %j for no branch to push to",
    async (targetBranch) => {
      const ctx = await committed(bareRepository([{ a: "1" }]), { a: "2" });
      await expect(runStep(gitPush, { path: "out", targetBranch }, ctx)).rejects.toMatchObject({
        kind: "refused",
      });
    },
  );

  it.each([
    { config: {} },
    { config: { path: "" } },
    { config: { path: "out", maxAttempts: 0 } },
    { config: { path: "out", maxAttempts: 2 ** 31 } },
    { config: { path: "out", generateTargetBranch: true, targetBranch: "b" } },
    { config: { path: "out", generateTargetBranch: true, tag: "v1" } },
    { config: { path: "out", targetBranch: "b", tag: "v1" } },
    { config: { path: "out", tag: "v1", force: true } },
    { config: { path: "out", provider: "sourceforge" } },
    { config: { path: "out", unknown: 1 } },
  ])("fails for $config", async ({ config }) => {
    await expect(runStep(gitPush, config)).rejects.toMatchObject({ status: "Failed", terminal: true });
  });
});
