import { describe, expect, it } from "vitest";
import type { StepContext } from "#core/step.ts";
import gitMergePr from "#steps/git-merge-pr.ts";
import gitOpenPr from "#steps/git-open-pr.ts";
import gitWaitForPr from "#steps/git-wait-for-pr.ts";
import { commitTo, git } from "#test/support/git-fixture.ts";
import {
  type Forge,
  type ForgeApi,
  forgeContext,
  forgeCredentials,
  startForge,
} from "#test/support/git-forge.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

function context(overrides: Partial<StepContext> = {}): StepContext {
  return fakeContext({ credentials: { find: async () => forgeCredentials }, ...overrides });
}

const branches = { sourceBranch: "change", targetBranch: "main" };
const address = (forge: Forge, provider: ForgeApi, id: number) =>
  provider === "azure"
    ? `${forge.server.url}/team/shop/_git/repo/pullrequest/${id}`
    : `${forge.server.url}/team/repo/pulls/${id}`;

async function start(provider: ForgeApi) {
  const forge = await startForge(provider);
  const { repoURL, ...parts } = forgeContext(forge, provider);
  return {
    forge,
    repoURL,
    parts,
    context: (overrides: Partial<StepContext> = {}) => fakeContext({ ...parts, ...overrides }),
  };
}

describe.each<{ provider: ForgeApi; labels: unknown; squash: unknown }>([
  { provider: "github", labels: ["one", "two"], squash: "squash" },
  { provider: "gitlab", labels: "one,two", squash: true },
  { provider: "gitea", labels: [7, 8], squash: "squash" },
  { provider: "bitbucket", labels: undefined, squash: "squash" },
  { provider: "azure", labels: ["one", "two"], squash: "squash" },
])("pull requests at $provider", ({ provider, labels, squash }) => {
  it("are opened with the commit's words, or those of the configuration", async () => {
    const { forge, repoURL, context } = await start(provider);
    expect(await runStep(gitOpenPr, { repoURL, provider, ...branches }, context())).toEqual({
      status: "succeeded",
      output: { pr: { id: 1, url: address(forge, provider, 1) } },
    });
    expect(forge.pulls[0]).toMatchObject({
      head: "change",
      base: "main",
      title: "Change a",
      body: "Because it is\nbetter.",
    });

    Object.assign(forge.pulls[0] ?? {}, { state: "closed" });
    const config = { repoURL, provider, ...branches, title: "T", description: "D", labels: ["one", "two"] };
    await runStep(gitOpenPr, config, context({ uiBaseUrl: "https://towpath.example" }));
    expect(forge.pulls[1]).toMatchObject({ title: "T", labels });
    expect(forge.pulls[1]?.body).toBe(
      "D\n\n[View in Towpath](https://towpath.example/project/shop/stage/test)",
    );
  });

  it("are taken over when they are open, and skipped without a difference", async () => {
    const { forge, repoURL, context } = await start(provider);
    const first = await runStep(gitOpenPr, { repoURL, provider, ...branches }, context());
    expect(await runStep(gitOpenPr, { repoURL, provider, ...branches }, context())).toEqual(first);
    expect(forge.pulls).toHaveLength(1);

    git(forge.bare, "branch", "same", "main");
    const same = { repoURL, provider, sourceBranch: "same", targetBranch: "main" };
    expect(await runStep(gitOpenPr, same, context())).toMatchObject({ status: "skipped" });
    const missing = { repoURL, provider, sourceBranch: "change", targetBranch: "nope" };
    await expect(runStep(gitOpenPr, missing, context())).rejects.toMatchObject({ status: "Errored" });
  });

  it("are not opened twice when a crash came between the opening and its record", async () => {
    const { forge, repoURL, context } = await start(provider);
    const ctx = context();
    const first = await runStep(gitOpenPr, { repoURL, provider, ...branches }, ctx);
    // A record that is there counts, even when the pull request is closed by now.
    Object.assign(forge.pulls[0] ?? {}, { state: "closed" });
    expect(await runStep(gitOpenPr, { repoURL, provider, ...branches }, ctx)).toEqual(first);
    expect(forge.pulls).toHaveLength(1);
  });

  it("are waited for until they are merged, and fail the step when they are closed", async () => {
    const { forge, repoURL, context } = await start(provider);
    await runStep(gitOpenPr, { repoURL, provider, ...branches }, context());
    const config = { repoURL, provider, prNumber: 1 };
    const pr = { id: 1, url: address(forge, provider, 1), open: true, merged: false };
    expect(await runStep(gitWaitForPr, { ...config, pollInterval: "2m" }, context())).toEqual({
      status: "waiting",
      message: "Pull request 1 is open",
      retryInSeconds: 120,
      output: { pr },
    });
    expect(await runStep(gitWaitForPr, config, context())).toMatchObject({ retryInSeconds: 30 });

    expect(await runStep(gitMergePr, config, context())).toMatchObject({ status: "succeeded" });
    const commit = git(forge.bare, "rev-parse", "main");
    expect(await runStep(gitWaitForPr, config, context())).toEqual({
      status: "succeeded",
      output: { commit, pr: { ...pr, open: false, merged: true } },
    });

    Object.assign(forge.pulls[0] ?? {}, { state: "closed", mergeCommit: undefined });
    await expect(runStep(gitWaitForPr, config, context())).rejects.toMatchObject({
      status: "Failed",
      terminal: true,
      output: { pr: { ...pr, open: false } },
    });
  });

  it("are merged by the method that is asked for, once", async () => {
    const { forge, repoURL, context } = await start(provider);
    await runStep(gitOpenPr, { repoURL, provider, ...branches }, context());
    const config = { repoURL, provider, prNumber: 1, mergeMethod: "squash" };
    const first = await runStep(gitMergePr, config, context());
    expect(first).toEqual({ status: "succeeded", output: { commit: git(forge.bare, "rev-parse", "main") } });
    expect(forge.pulls[0]?.method).toBe(squash);
    expect(await runStep(gitMergePr, config, context())).toEqual(first);
  });

  it("that cannot be merged yet are waited for, or fail the step", async () => {
    const { forge, repoURL, context } = await start(provider);
    await runStep(gitOpenPr, { repoURL, provider, ...branches }, context());
    const config = { repoURL, provider, prNumber: 1 };
    for (const obstacle of [{ mergeable: false }, { mergeable: true, draft: true }]) {
      Object.assign(forge.pulls[0] ?? {}, obstacle);
      expect(await runStep(gitMergePr, { ...config, wait: true }, context())).toMatchObject({
        status: "waiting",
        retryInSeconds: 10,
      });
      await expect(runStep(gitMergePr, config, context())).rejects.toMatchObject({
        status: "Failed",
        terminal: true,
      });
    }
    Object.assign(forge.pulls[0] ?? {}, { state: "closed", draft: false });
    await expect(runStep(gitMergePr, { ...config, wait: true }, context())).rejects.toMatchObject({
      status: "Failed",
    });
  });

  it("are closed after an abort, if the step opened them and says so", async () => {
    const { forge, repoURL, context } = await start(provider);
    const takeBack = (ctx: StepContext, closeOnAbort: boolean) =>
      gitOpenPr.takeBack?.(gitOpenPr.config.parse({ repoURL, provider, ...branches, closeOnAbort }), ctx);
    const opener = context();
    await runStep(gitOpenPr, { repoURL, provider, ...branches }, opener);
    const finder = context();
    await runStep(gitOpenPr, { repoURL, provider, ...branches, closeOnAbort: true }, finder);
    await takeBack(opener, false);
    await takeBack(finder, true);
    expect(forge.pulls[0]?.state).toBe("open");
    await takeBack(opener, true);
    expect(forge.pulls[0]?.state).toBe("closed");
    // It may be called twice, and leaves alone what was merged meanwhile.
    await takeBack(opener, true);
    Object.assign(forge.pulls[0] ?? {}, { state: "merged" });
    await takeBack(opener, true);
    expect(forge.pulls[0]?.state).toBe("merged");
  });

  it("that are not there, or may not be seen, make clear failures", async () => {
    const { forge, repoURL, context } = await start(provider);
    const config = { repoURL, provider, prNumber: 99 };
    await expect(runStep(gitWaitForPr, config, context())).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("404"),
    });
    await expect(runStep(gitMergePr, config, context())).rejects.toMatchObject({
      status: "Failed",
      terminal: true,
    });
    const nobody = context({ credentials: { find: async () => undefined } });
    await expect(runStep(gitWaitForPr, config, nobody)).rejects.toMatchObject({ kind: "refused" });
    forge.answers.push([503, {}], [503, {}], [200, { odd: true }]);
    await expect(runStep(gitWaitForPr, config, context())).rejects.toMatchObject({ kind: "transient" });
    await expect(runStep(gitMergePr, config, context())).rejects.toMatchObject({ kind: "transient" });
    await expect(runStep(gitWaitForPr, config, context())).rejects.toThrow(/odd/);
  });
});

describe("a merge that GitHub refuses", () => {
  it.each([
    {
      state: "clean",
      message: "Base branch was modified. Review and try the merge again.",
      gives: "waiting",
    },
    { state: "clean", message: "Pull Request is not mergeable", gives: "waiting" },
    { state: "blocked", message: "At least 1 approving review is required", gives: "waiting" },
    { state: "clean", message: "At least 1 approving review is required", gives: "Failed" },
    { state: "blocked", message: "Squash merges are not allowed on this repository.", gives: "Failed" },
  ])("from state $state for “$message” gives $gives", async ({ state, message, gives }) => {
    const forge = await startForge("github");
    const { repoURL } = forge;
    const pull = { number: 1, html_url: "x", state: "open", mergeable_state: state, head: { sha: "" } };
    forge.answers.push([200, pull], [405, { message }]);
    const run = runStep(gitMergePr, { repoURL, provider: "github", prNumber: 1, wait: true }, context());
    if (gives === "waiting") expect(await run).toMatchObject({ status: "waiting" });
    else
      await expect(run).rejects.toMatchObject({
        status: "Failed",
        message: expect.stringContaining(message),
      });
  });
});

describe("the configuration of pull requests", () => {
  it.each([
    { step: gitOpenPr, config: {} },
    { step: gitOpenPr, config: { repoURL: "https://x.example/a/b", sourceBranch: "a" } },
    { step: gitOpenPr, config: { repoURL: "no-url", ...branches } },
    { step: gitOpenPr, config: { repoURL: "https://x.example/a/b", ...branches, provider: "bogus" } },
    { step: gitOpenPr, config: { repoURL: "https://x.example/a/b", ...branches, labels: [""] } },
    { step: gitMergePr, config: { repoURL: "https://x.example/a/b", prNumber: 0 } },
    { step: gitMergePr, config: { repoURL: "https://x.example/a/b", prNumber: 1, pollInterval: "soon" } },
    { step: gitWaitForPr, config: { repoURL: "https://x.example/a/b" } },
    { step: gitWaitForPr, config: { repoURL: "https://x.example/a/b", prNumber: "1" } },
  ])("of $step.name fails with $config", async ({ step, config }) => {
    await expect(runStep(step, config)).rejects.toMatchObject({ status: "Failed", terminal: true });
  });

  it("must name the provider where the address does not tell", async () => {
    const config = { repoURL: "https://git.example.com/a/b", prNumber: 1 };
    await expect(runStep(gitWaitForPr, config)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("provider"),
    });
  });
});

it("commits pushed meanwhile are part of the comparison", async () => {
  const forge = await startForge("github");
  commitTo(forge.bare, "main", { a: "2" }, "The same in another way");
  const config = { repoURL: forge.repoURL, provider: "github", ...branches };
  expect(await runStep(gitOpenPr, config, context())).toMatchObject({ status: "skipped" });
});
