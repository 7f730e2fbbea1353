import { createHash } from "node:crypto";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { abandonIntegration } from "#core/git/integrate.ts";
import { gitProviderNames } from "#core/git/providers/provider.ts";
import { commitUrl } from "#core/git/providers/providers.ts";
import { pushBranch, pushTag } from "#core/git/push.ts";
import { currentBranch, head } from "#core/git/work-tree.ts";
import { defineStep, succeeded } from "#core/step.ts";
import {
  commitOutput,
  pathField,
  pushAttemptFields,
  pushTargetFields,
  workTreeOf,
} from "#steps/lib/git-steps.ts";
import { oneOf } from "#steps/lib/one-of.ts";

export default defineStep({
  name: "git-push",
  summary: "Pushes a work tree's commits to a branch of its remote repository, or a tag.",
  notes: `
Pushes to one branch wait for each other. When somebody else was quicker all the same, their commits are
integrated by the operator's push integration policy (\`GIT_PUSH_INTEGRATION_POLICY\`: AlwaysRebase, the
default, RebaseOrMerge, RebaseOrFail or AlwaysMerge) and the push is repeated. A conflict fails the step.
Forced pushes and tags integrate nothing.`,
  config: z
    .strictObject({
      path: pathField,
      ...pushTargetFields,
      tag: z.string().optional().describe("Tag to push, in place of a branch."),
      ...pushAttemptFields,
      provider: z
        .enum(gitProviderNames)
        .optional()
        .describe(
          "What the repository is hosted by, where its URL does not tell; for the output `commitURL`.",
        ),
    })
    .refine(
      ({ targetBranch, generateTargetBranch, tag }) =>
        [targetBranch, generateTargetBranch, tag].filter(Boolean).length <= 1,
      oneOf("only one of targetBranch, generateTargetBranch and tag can be set"),
    )
    .refine(({ tag, force }) => !(tag && force), { message: "a tag cannot be pushed with force" }),
  output: commitOutput.extend({
    branch: z.string().optional().describe("Branch that was pushed to."),
    commitURL: z.string().optional().describe("Where the commit can be looked at, when that is known."),
  }),
  examples: [
    {
      title: "Push to the branch that is checked out",
      yaml: `
uses: git-push
config:
  path: ./out`,
    },
    {
      title: "Push to a branch for a pull request",
      yaml: `
uses: git-push
as: push
config:
  path: ./out
  generateTargetBranch: true`,
    },
  ],

  async run({ path, targetBranch, generateTargetBranch, tag, force, maxAttempts, provider }, ctx) {
    const tree = await workTreeOf(ctx, path);
    // What a crash in the midst of integrating left; it hides the branch, too.
    await abandonIntegration(tree);
    const branch = generateTargetBranch
      ? `kargo/promotion/${ctx.promotion}`
      : targetBranch || (await currentBranch(tree));

    let commit: string;
    if (tag) {
      await pushTag(tree, tag);
      commit = await head(tree);
    } else if (branch === "") {
      throw new StepFailure(
        "errored",
        `Cannot push "${path}": no branch is checked out, and targetBranch is not set`,
      );
    } else {
      commit = await pushBranch(tree, {
        branch,
        // The branch is the promotion's own: whatever it holds is from an earlier try of this promotion.
        force: force || generateTargetBranch,
        policy: tree.git.settings.pushIntegrationPolicy,
        maxAttempts,
        key: createHash("sha256").update(ctx.idempotencyKey).digest("hex"),
        signal: ctx.signal,
      });
    }

    ctx.log.info(tag ? `Pushed tag ${tag}` : `Pushed ${commit} to branch ${branch}`);
    const commitURL = commitUrl(tree.source?.remote.url ?? "", commit, provider);
    return succeeded({
      commit,
      ...(branch === "" ? {} : { branch }),
      ...(commitURL === undefined ? {} : { commitURL }),
    });
  },
});
