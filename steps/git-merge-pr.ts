import { z } from "zod";
import { StepFailure, toStepFailure } from "#core/failure.ts";
import type { PullRequest } from "#core/git/providers/provider.ts";
import { defineStep, type StepContext, succeeded, waiting } from "#core/step.ts";
import {
  pollIntervalField,
  pollSeconds,
  prNumberField,
  pullRequestsOf,
  repositoryFields,
} from "#steps/lib/pull-requests.ts";

const Config = z.strictObject({
  ...repositoryFields,
  prNumber: prNumberField,
  mergeMethod: z
    .string()
    .min(1)
    .optional()
    .describe("How to merge, by the host's own word; the host's default without it."),
  wait: z
    .boolean()
    .default(false)
    .describe("Whether to wait for a pull request that cannot be merged yet. It fails the step otherwise."),
  pollInterval: pollIntervalField.describe("Pause between two tries to merge; 10s by default."),
});

export default defineStep({
  name: "git-merge-pr",
  summary: "Merges a pull request.",
  notes: `
Merging what is merged succeeds. Methods: \`merge\`, \`rebase\`, \`squash\` at GitHub; \`merge\`, \`squash\` at GitLab;
\`merge\`, \`squash\`, \`rebase\`, \`rebase-merge\`, \`fast-forward-only\`, \`manually-merged\` at Gitea; \`merge_commit\`,
\`squash\`, \`fast_forward\` at Bitbucket; \`noFastForward\`, \`squash\`, \`rebase\`, \`rebaseMerge\` at Azure DevOps.

Merge queues are not used.`,
  config: Config,
  output: z.object({ commit: z.string().describe("Commit that the merge made.") }),
  examples: [
    {
      title: "Merge as soon as all checks have passed",
      yaml: `
uses: git-merge-pr
config:
  repoURL: https://github.com/example/repo.git
  prNumber: \${{ outputs['open-pr'].pr.id }}
  wait: true`,
    },
  ],

  async run(config, ctx) {
    const { prNumber, wait, pollInterval } = config;
    const merged = await merge(config, ctx);
    if (merged !== undefined) return succeeded({ commit: merged.mergeCommit });
    const message = `Pull request ${prNumber} cannot be merged yet`;
    if (!wait) throw new StepFailure("failed", `${message}, and "wait" is not set`);
    return waiting(message, pollSeconds(pollInterval, 10));
  },
});

/** What a host refuses to merge it will refuse again; only the network may change its mind. */
async function merge(config: z.output<typeof Config>, ctx: StepContext): Promise<PullRequest | undefined> {
  const pullRequests = await pullRequestsOf(ctx, config);
  try {
    return await pullRequests.merge(config.prNumber, config.mergeMethod);
  } catch (error) {
    ctx.signal.throwIfAborted();
    const failure = toStepFailure(error);
    if (failure.transient) throw failure;
    throw new StepFailure("failed", failure.message, { cause: error });
  }
}
