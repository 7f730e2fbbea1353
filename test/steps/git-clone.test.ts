import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import gitClone from "#steps/git-clone.ts";
import { bareRepository, commitTo, git, subjectsOn } from "#test/support/git-fixture.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";

describe("git-clone", () => {
  it("checks out branches, commits, tags and the default branch to their paths", async () => {
    const repoURL = bareRepository([{ "app.yaml": "one" }, { "app.yaml": "two" }]);
    const [second = "", first = ""] = git(repoURL, "log", "--format=%H", "main").split("\n");
    git(repoURL, "tag", "v1", first);
    commitTo(repoURL, "env/test", { "app.yaml": "test" });
    const ctx = fakeContext();

    const outcome = await runStep(
      gitClone,
      {
        repoURL,
        checkout: [
          { path: "./default" },
          { branch: "env/test", path: "branch" },
          { commit: first, path: "commit", as: "src" },
          { tag: "v1", path: "tag" },
        ],
      },
      ctx,
    );

    const branchTip = git(repoURL, "rev-parse", "env/test");
    expect(outcome).toEqual({
      status: "succeeded",
      output: { commits: { "./default": second, branch: branchTip, src: first, tag: first } },
    });
    const read = (name: string) => readFileSync(path.join(ctx.workspace.root, name, "app.yaml"), "utf8");
    expect(["default", "branch", "commit", "tag"].map(read)).toEqual(["two", "test", "one", "one"]);
    expect(git(path.join(ctx.workspace.root, "branch"), "branch", "--show-current")).toBe("env/test");
  });

  it("makes a missing branch, empty and without history, and nothing but .git in its work tree", async () => {
    const repoURL = bareRepository([{ "app.yaml": "one" }]);
    const ctx = fakeContext();
    await runStep(gitClone, { repoURL, checkout: [{ branch: "env/new", create: true, path: "out" }] }, ctx);

    expect(readdirSync(path.join(ctx.workspace.root, "out"))).toEqual([".git"]);
    expect(subjectsOn(repoURL, "env/new")).toEqual(["Initial commit"]);
    expect(git(repoURL, "log", "-1", "--format=%an <%ae>", "env/new")).toBe("Kargo <no-reply@kargo.io>");
  });

  it("leaves nothing in the workspace when the repository cannot be read", async () => {
    const ctx = fakeContext();
    const repoURL = path.join(temporaryFolder(), "gone.git");
    await expect(runStep(gitClone, { repoURL, checkout: [{ path: "out" }] }, ctx)).rejects.toThrow(repoURL);
    expect(readdirSync(ctx.workspace.root)).toEqual([]);
  });

  it("starts over when it is run again after a crash", async () => {
    const repoURL = bareRepository([{ "app.yaml": "one" }]);
    const ctx = fakeContext();
    const config = {
      repoURL,
      checkout: [
        { branch: "main", path: "out" },
        { branch: "b", create: true, path: "b" },
      ],
    };
    const before = await runStep(gitClone, config, ctx);
    writeFileSync(path.join(ctx.workspace.root, "out/left-over"), "half-done");

    expect(await runStep(gitClone, config, ctx)).toEqual(before);
    expect(existsSync(path.join(ctx.workspace.root, "out/left-over"))).toBe(false);
    expect(subjectsOn(repoURL, "b")).toEqual(["Initial commit"]);
  });

  it("checks out only the folders that sparse names", async () => {
    const repoURL = bareRepository([
      { "top.txt": "", "charts/app/x": "", "charts/other/y": "", "docs/z": "" },
    ]);
    const ctx = fakeContext();
    const checkout = [{ branch: "main", path: "out", sparse: ["charts/app"] }];
    await runStep(gitClone, { repoURL, checkout }, ctx);

    expect(existsSync(path.join(ctx.workspace.root, "out/charts/app/x"))).toBe(true);
    expect(existsSync(path.join(ctx.workspace.root, "out/charts/other"))).toBe(false);
    expect(existsSync(path.join(ctx.workspace.root, "out/docs"))).toBe(false);
    expect(existsSync(path.join(ctx.workspace.root, "out/top.txt"))).toBe(true);
  });

  it("names the author for later commits", async () => {
    const repoURL = bareRepository([{ a: "" }]);
    const ctx = fakeContext();
    const author = { name: "Bot", email: "bot@localhost" };
    await runStep(gitClone, { repoURL, author, checkout: [{ branch: "n", create: true, path: "o" }] }, ctx);
    expect(git(repoURL, "log", "-1", "--format=%an %ae %cn %ce", "n")).toBe(
      "Bot bot@localhost Bot bot@localhost",
    );
  });

  it.each([
    {
      why: "a branch that the remote lacks",
      checkout: { branch: "nope" },
      says: /create: true/,
      status: "Errored",
    },
    { why: "a tag that the remote lacks", checkout: { tag: "nope" }, says: /tag "nope"/, status: "Errored" },
    {
      why: "a commit that the remote lacks",
      checkout: { commit: "f".repeat(40) },
      says: /commit "ffff/,
      status: "Errored",
    },
    {
      why: "an option as a branch",
      checkout: { branch: "--upload-pack=touch /tmp/x" },
      says: /branch/,
      status: "Errored",
    },
    { why: "an option as a commit", checkout: { commit: "--orphan" }, says: /commit/, status: "Errored" },
    { why: "an option as a tag", checkout: { tag: "-d" }, says: /tag/, status: "Errored" },
    {
      why: "a path outside of the workspace",
      checkout: { path: "../out" },
      says: /out of the workspace/,
      status: "Errored",
    },
    {
      why: "a link out of the workspace",
      checkout: { path: "link/out" },
      says: /outside of the workspace/,
      status: "Errored",
    },
    { why: "a pattern in sparse", checkout: { sparse: ["a*"] }, says: /no patterns/, status: "Errored" },
    { why: "a sparse folder outside", checkout: { sparse: ["../a"] }, says: /outside/, status: "Errored" },
  ])("ends in $status for $why", async ({ checkout, says, status }) => {
    const repoURL = bareRepository([{ a: "" }]);
    const ctx = fakeContext();
    symlinkSync(temporaryFolder(), path.join(ctx.workspace.root, "link"));
    const config = { repoURL, checkout: [{ path: "out", ...checkout }] };
    await expect(runStep(gitClone, config, ctx)).rejects.toMatchObject({
      status,
      message: expect.stringMatching(says),
    });
  });

  it.each([
    "ext::sh -c touch% /tmp/pwned",
    "fd::17/foo",
    "--upload-pack=touch /tmp/pwned",
    "-u./evil",
    "../relative/repo",
    "ssh://-oProxyCommand=touch/x",
    "-oProxyCommand=touch@host:repo",
    "https://",
    "ftp://example.com/repo",
    "http://169.254.169.254/latest",
    "http://2852039166/latest",
    "http://[::ffff:169.254.169.254]/latest",
    "https://[fe80::1]/repo",
    "ssh://169.254.169.254/repo",
    "169.254.169.254:repo",
    "ssh://0xa9fea9fe/repo",
  ])("refuses %s as a repository", async (repoURL) => {
    await expect(runStep(gitClone, { repoURL, checkout: [{ path: "out" }] })).rejects.toMatchObject({
      kind: "refused",
    });
  });

  it("refuses repositories in the daemon's own folders", async () => {
    const ctx = fakeContext();
    const cache = path.join(await ctx.cacheFolder("git"), "theirs");
    mkdirSync(cache, { recursive: true });
    const data = temporaryFolder();
    writeFileSync(path.join(data, "towpath.db"), "");
    const inCache = bareRepository([], cache);
    for (const repoURL of [inCache, `file://${inCache}`, bareRepository([], data)]) {
      const run = runStep(gitClone, { repoURL, checkout: [{ path: "out" }] }, ctx);
      await expect(run).rejects.toMatchObject({
        kind: "refused",
        message: expect.stringContaining("daemon"),
      });
    }
  });

  it("refuses a repository in the workspace that could make git run programs", async () => {
    const ctx = fakeContext();
    const repoURL = bareRepository([{ a: "" }], ctx.workspace.root);
    git(repoURL, "config", "--unset", "uploadpack.allowFilter");
    git(repoURL, "config", "--unset", "http.receivepack");
    const config = { repoURL, checkout: [{ path: "out" }] };
    expect(await runStep(gitClone, config, ctx)).toMatchObject({ status: "succeeded" });
    git(repoURL, "config", "core.alternateRefsCommand", "touch /tmp/x");
    await expect(runStep(gitClone, config, ctx)).rejects.toMatchObject({ kind: "refused" });
  });

  it("makes a first branch in a repository that is empty", async () => {
    const repoURL = bareRepository([]);
    const checkout = [{ branch: "main", create: true, path: "out" }];
    expect(await runStep(gitClone, { repoURL, checkout })).toMatchObject({ status: "succeeded" });
    expect(subjectsOn(repoURL, "main")).toEqual(["Initial commit"]);
    const missing = { repoURL: bareRepository([]), checkout: [{ path: "out" }] };
    await expect(runStep(gitClone, missing)).rejects.toMatchObject({ status: "Errored" });
  });

  it.each([
    { why: "no repoURL", config: { checkout: [{ path: "a" }] } },
    { why: "an empty repoURL", config: { repoURL: "", checkout: [{ path: "a" }] } },
    { why: "no checkout", config: { repoURL: "https://x.example/r" } },
    { why: "an empty list of checkouts", config: { repoURL: "https://x.example/r", checkout: [] } },
    { why: "a checkout without a path", config: { repoURL: "https://x.example/r", checkout: [{}] } },
    {
      why: "branch and tag",
      config: { repoURL: "https://x.example/r", checkout: [{ path: "a", branch: "b", tag: "t" }] },
    },
    {
      why: "two checkouts with one alias",
      config: {
        repoURL: "https://x.example/r",
        checkout: [
          { path: "a", as: "x" },
          { path: "b", as: "x" },
        ],
      },
    },
    {
      why: "an author without e-mail address",
      config: { repoURL: "https://x.example/r", checkout: [{ path: "a" }], author: { name: "x" } },
    },
  ])("fails for $why", async ({ config }) => {
    await expect(runStep(gitClone, config)).rejects.toMatchObject({ status: "Failed", terminal: true });
  });
});
