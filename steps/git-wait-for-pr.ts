import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep, succeeded, waiting } from "#core/step.ts";
import {
  pollIntervalField,
  pollSeconds,
  prNumberField,
  pullRequestsOf,
  repositoryFields,
} from "#steps/lib/pull-requests.ts";

export default defineStep({
  name: "git-wait-for-pr",
  summary: "Waits until a pull request is merged.",
  notes:
    "Fails when the pull request is closed without being merged. A webhook of the host ends the wait at once.",
  config: z.strictObject({
    ...repositoryFields,
    prNumber: prNumberField,
    pollInterval: pollIntervalField.describe("Pause between two looks at the pull request; 30s by default."),
  }),
  output: z.object({
    commit: z.string().optional().describe("Newest commit of the target branch after the merge."),
    pr: z
      .object({
        id: z.number().describe("Number of the pull request."),
        url: z.string().describe("Where people look at it."),
        open: z.boolean().describe("Whether it is open."),
        merged: z.boolean().describe("Whether it was merged."),
      })
      .describe("The pull request."),
  }),
  examples: [
    {
      title: "Wait for people to merge what git-open-pr has opened",
      yaml: `
uses: git-wait-for-pr
config:
  repoURL: https://github.com/example/repo.git
  prNumber: \${{ outputs['open-pr'].pr.id }}`,
    },
  ],

  async run(config, ctx) {
    const pullRequests = await pullRequestsOf(ctx, config);
    const { id, url, open, merged, mergeCommit } = await pullRequests.get(config.prNumber);
    const pr = { id, url, open, merged };
    const output = mergeCommit === "" ? { pr } : { commit: mergeCommit, pr };
    if (open) return waiting(`Pull request ${id} is open`, pollSeconds(config.pollInterval, 30), output);
    if (merged) return succeeded(output);
    throw new StepFailure("failed", `Pull request ${id} was closed without being merged`, { output });
  },
});
