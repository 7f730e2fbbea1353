import { createHash } from "node:crypto";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { pushByGithub } from "#core/git/github-push.ts";
import { abandonIntegration } from "#core/git/integrate.ts";
import { createApiClient } from "#core/git/providers/api-client.ts";
import { type GithubApi, githubApi } from "#core/git/providers/github-api.ts";
import { readRepository } from "#core/git/providers/provider.ts";
import { commitUrl } from "#core/git/providers/providers.ts";
import { currentBranch, type WorkTree } from "#core/git/work-tree.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import {
  commitOutput,
  pathField,
  pushAttemptFields,
  pushTargetFields,
  workTreeOf,
} from "#steps/lib/git-steps.ts";
import { oneOf } from "#steps/lib/one-of.ts";

export default defineStep({
  name: "github-push",
  summary:
    "Pushes a work tree's commits to a branch at GitHub through its API, so that GitHub can verify them.",
  notes: `
Works as git-push does, but GitHub makes each commit anew. Of commits that are signed with the clone's key GitHub
is told no author: it takes whoever pushes, and signs them itself. Others keep their author and stay unverified;
\`GITHUB_PUSH_VERIFY_UNTRUSTED_COMMITS=true\` has GitHub sign these as well. \`GITHUB_PUSH_MAX_REVISIONS\` bounds the
commits of one push (10 by default).

Needs a token. GitHub signs for Apps alone. The work tree is put on the new commits.`,
  config: z
    .strictObject({
      path: pathField,
      ...pushTargetFields,
      ...pushAttemptFields,
      insecureSkipTLSVerify: z
        .boolean()
        .default(false)
        .describe("Whether the certificate of GitHub's API goes unchecked."),
    })
    .refine(
      ({ targetBranch, generateTargetBranch }) => !(targetBranch && generateTargetBranch),
      oneOf("only one of targetBranch and generateTargetBranch can be set"),
    ),
  output: commitOutput.extend({
    branch: z.string().describe("Branch that was pushed to."),
    commitURL: z.string().optional().describe("Where the commit can be looked at."),
  }),
  examples: [
    {
      title: "Push commits that GitHub verifies",
      yaml: `
uses: github-push
config:
  path: ./out`,
    },
  ],

  async run({ path, targetBranch, generateTargetBranch, force, maxAttempts, insecureSkipTLSVerify }, ctx) {
    const tree = await workTreeOf(ctx, path);
    const api = apiOf(tree, ctx, insecureSkipTLSVerify);
    // What a crash in the midst of integrating left; it hides the branch, too.
    await abandonIntegration(tree);
    const own = `kargo/promotion/${ctx.promotion}`;
    const branch = generateTargetBranch ? own : targetBranch || (await currentBranch(tree));
    if (branch === "") {
      throw new StepFailure(
        "errored",
        `Cannot push "${path}": no branch is checked out, and targetBranch is not set`,
      );
    }
    const commit = await pushByGithub(tree, api, {
      branch,
      force: force || generateTargetBranch,
      policy: tree.git.settings.pushIntegrationPolicy,
      maxAttempts,
      key: createHash("sha256").update(ctx.idempotencyKey).digest("hex"),
      signal: ctx.signal,
      stagingRef: `refs/kargo/staging/${ctx.promotion}`,
    });
    ctx.log.info(`Pushed ${commit} to branch ${branch}`);
    const commitURL = commitUrl(tree.source?.remote.url ?? "", commit, "github");
    return succeeded(commitURL === undefined ? { commit, branch } : { commit, branch, commitURL });
  },
});

function apiOf(tree: WorkTree, ctx: StepContext, insecureSkipTLSVerify: boolean): GithubApi {
  const address = tree.source?.remote.url ?? "";
  const { password, sshPrivateKey } = tree.source?.credentials ?? {};
  if (!password) {
    const why = sshPrivateKey
      ? "an SSH key is known for it, which GitHub's API does not take; use a token or a GitHub App"
      : "no token is known for it";
    throw new StepFailure("failed", `Cannot push to "${address}" by GitHub's API: ${why}`);
  }
  const repository = readRepository(address);
  if (repository === undefined) {
    throw new StepFailure(
      "errored",
      `Cannot push "${tree.shown}" by GitHub's API: "${address}" is no address of a repository there`,
    );
  }
  return githubApi(repository, createApiClient(ctx.fetch, password, insecureSkipTLSVerify));
}
