import { writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { StepContext } from "#core/step.ts";
import gitClone from "#steps/git-clone.ts";
import gitCommit from "#steps/git-commit.ts";
import githubPush from "#steps/github-push.ts";
import { commitTo, git, subjectsOn } from "#test/support/git-fixture.ts";
import { type Forge, forgeCredentials, startForge } from "#test/support/git-forge.ts";
import { requirePart } from "#test/support/require-part.ts";
import { newSigningKey } from "#test/support/signing-key.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

async function committed(forge: Forge, author?: object, names = ["one", "two"]): Promise<StepContext> {
  const ctx = fakeContext({ credentials: { find: async () => forgeCredentials } });
  const checkout = [{ branch: "main", path: "out" }];
  await runStep(gitClone, { repoURL: forge.repoURL, checkout, ...(author && { author }) }, ctx);
  for (const name of names) {
    writeFileSync(path.join(ctx.workspace.root, "out", name), name);
    await runStep(gitCommit, { path: "out", message: `Write ${name}` }, { ...ctx, once: fakeContext().once });
  }
  return ctx;
}

const authorsOn = (forge: Forge, ref: string) => git(forge.bare, "log", "--format=%an", ref).split("\n");
const inOut = (ctx: StepContext, ...args: string[]) => git(path.join(ctx.workspace.root, "out"), ...args);

describe("github-push", () => {
  it("has GitHub make the commits, with their authors, and puts the work tree on them", async () => {
    const forge = await startForge("github");
    const ctx = await committed(forge);
    commitTo(forge.bare, "main", { theirs: "" }, "Theirs");
    const outcome = await runStep(githubPush, { path: "out" }, ctx);

    const commit = git(forge.bare, "rev-parse", "main");
    const commitURL = `https://127.0.0.1:${new URL(forge.repoURL).port}/team/repo/commit/${commit}`;
    expect(outcome).toEqual({ status: "succeeded", output: { commit, branch: "main", commitURL } });
    expect(subjectsOn(forge.bare, "main")).toEqual(["Write two", "Write one", "Theirs", "Commit 1"]);
    expect(authorsOn(forge, "main")).toEqual(["Kargo", "Kargo", "Ann", "Ann"]);
    expect(inOut(ctx, "rev-parse", "HEAD")).toBe(commit);
    expect(inOut(ctx, "status", "--short")).toBe("");
    expect(git(forge.bare, "for-each-ref", "refs/kargo")).toBe("");
  });

  it("makes nothing twice when it is run again after a crash", async () => {
    const forge = await startForge("github");
    const ctx = await committed(forge);
    const before = inOut(ctx, "rev-parse", "HEAD");
    const first = await runStep(githubPush, { path: "out" }, ctx);
    inOut(ctx, "reset", "-q", "--hard", before);
    commitTo(forge.bare, "main", { later: "" }, "Later");
    expect(await runStep(githubPush, { path: "out" }, ctx)).toEqual(first);
    expect(subjectsOn(forge.bare, "main")).toEqual(["Later", "Write two", "Write one", "Commit 1"]);
  });

  it("makes a branch, overwrites one by force, and has nothing to do without commits", async () => {
    const forge = await startForge("github");
    const ctx = await committed(forge);
    const own = `kargo/promotion/${ctx.promotion}`;
    expect(await runStep(githubPush, { path: "out", generateTargetBranch: true }, ctx)).toMatchObject({
      output: { branch: own },
    });
    expect(subjectsOn(forge.bare, own)).toEqual(["Write two", "Write one", "Commit 1"]);

    const forced = await committed(forge, undefined, ["three"]);
    const config = { path: "out", targetBranch: "change", force: true };
    await runStep(githubPush, config, { ...forced, idempotencyKey: "forced" });
    expect(subjectsOn(forge.bare, "change")).toEqual(["Write three", "Commit 1"]);

    const idle = await committed(forge, undefined, []);
    const tip = git(forge.bare, "rev-parse", "main");
    expect(await runStep(githubPush, { path: "out" }, idle)).toMatchObject({ output: { commit: tip } });
  });

  it("tries again when the branch moved under its hands", async () => {
    const forge = await startForge("github");
    const ctx = await committed(forge, undefined, ["one"]);
    forge.onRequest = (method, rest) => {
      if (method !== "PATCH" || rest !== "/git/refs/heads/main") return;
      forge.onRequest = undefined;
      commitTo(forge.bare, "main", { theirs: "" }, "Theirs");
    };
    await runStep(githubPush, { path: "out" }, ctx);
    expect(subjectsOn(forge.bare, "main")).toEqual(["Write one", "Theirs", "Commit 1"]);
  });

  it("refuses more commits than the operator allows", async () => {
    const forge = await startForge("github");
    const ctx = await committed(forge);
    process.env.GITHUB_PUSH_MAX_REVISIONS = "1";
    try {
      await expect(runStep(githubPush, { path: "out" }, ctx)).rejects.toMatchObject({
        status: "Errored",
        terminal: true,
      });
    } finally {
      delete process.env.GITHUB_PUSH_MAX_REVISIONS;
    }
  });

  it.each([
    { credentials: undefined, says: /no token/ },
    { credentials: { sshPrivateKey: "key" }, says: /SSH key/ },
  ])("fails with $credentials", async ({ credentials, says }) => {
    const forge = await startForge("github");
    const ctx = await committed(forge);
    const run = runStep(
      githubPush,
      { path: "out" },
      { ...ctx, credentials: { find: async () => credentials } },
    );
    await expect(run).rejects.toMatchObject({
      status: "Failed",
      terminal: true,
      message: expect.stringMatching(says),
    });
  });

  it.each([
    { config: {} },
    { config: { path: "out", generateTargetBranch: true, targetBranch: "b" } },
    { config: { path: "out", tag: "v1" } },
  ])("fails for $config", async ({ config }) => {
    await expect(runStep(githubPush, config)).rejects.toMatchObject({ status: "Failed", terminal: true });
  });
});

describe.skipIf(!(await requirePart("gpg")))("github-push of signed commits", () => {
  it("leaves their author to GitHub, which can then sign them", async () => {
    const forge = await startForge("github");
    const author = { name: "Sig", email: "sig@example.com", signingKey: newSigningKey() };
    const ctx = await committed(forge, author, ["one"]);
    await runStep(githubPush, { path: "out" }, ctx);
    expect(authorsOn(forge, "main")).toEqual(["app[bot]", "Ann"]);
    expect(git(forge.bare, "log", "-1", "--format=%B", "main")).toBe("Write one");
  });

  it("names who wrote what GitHub is made to vouch for", async () => {
    const forge = await startForge("github");
    const ctx = await committed(forge, undefined, ["one"]);
    process.env.GITHUB_PUSH_VERIFY_UNTRUSTED_COMMITS = "true";
    try {
      await runStep(githubPush, { path: "out" }, ctx);
    } finally {
      delete process.env.GITHUB_PUSH_VERIFY_UNTRUSTED_COMMITS;
    }
    expect(git(forge.bare, "log", "-1", "--format=%an: %B", "main")).toBe(
      "app[bot]: Write one\n\nCo-authored-by: Kargo <no-reply@kargo.io>",
    );
  });
});
