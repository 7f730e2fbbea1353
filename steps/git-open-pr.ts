import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { type History, openHistory } from "#core/git/history.ts";
import type { PullRequest } from "#core/git/providers/provider.ts";
import { defineStep, type StepContext, skipped, succeeded } from "#core/step.ts";
import { gitOf, sourceOf } from "#steps/lib/git-steps.ts";
import { pullRequestsOf, repositoryFields } from "#steps/lib/pull-requests.ts";

/** What the journal keeps of a pull request that was opened. */
const record = "pull request";
const Opened = z.object({ pr: z.object({ id: z.number(), url: z.string() }) });

export default defineStep({
  name: "git-open-pr",
  summary: "Opens a pull request from one branch of a repository to another.",
  notes: `
An open pull request of the same branches at the same commit is taken in place of a new one. Without a
difference between the branches the step is skipped.

Labels are set at GitHub, GitLab, Gitea (which must know them) and Azure DevOps; Bitbucket has none.`,
  config: z.strictObject({
    ...repositoryFields,
    sourceBranch: z.string().min(1).describe("Branch that holds the changes."),
    targetBranch: z.string().min(1).describe("Branch that is to get them; it must exist."),
    title: z
      .string()
      .min(1)
      .optional()
      .describe("Title; the first line of the newest commit's message by default."),
    description: z.string().min(1).optional().describe("Description; the rest of that message by default."),
    labels: z.array(z.string().min(1)).default([]).describe("Labels to give it."),
    closeOnAbort: z
      .boolean()
      .default(false)
      .describe(
        "Close the pull request when the promotion is aborted, if it was this step that opened it. Kargo does not have this field.",
      ),
    createTargetBranch: z.boolean().optional().describe("Deprecated, does nothing."),
  }),
  output: z.object({
    pr: z
      .object({
        id: z.number().describe("Number of the pull request."),
        url: z.string().describe("Where people look at it."),
      })
      .describe("The pull request."),
  }),
  examples: [
    {
      title: "Propose what git-push has pushed to the promotion's own branch",
      yaml: `
uses: git-open-pr
as: open-pr
config:
  repoURL: https://github.com/example/repo.git
  sourceBranch: \${{ outputs.push.branch }}
  targetBranch: stage/\${{ ctx.stage }}`,
    },
  ],

  async run(config, ctx) {
    const { repoURL, sourceBranch, targetBranch } = config;
    const pullRequests = await pullRequestsOf(ctx, config);
    const git = gitOf(ctx);
    const source = await sourceOf(ctx, git, repoURL, config.insecureSkipTLSVerify);
    const history = await openHistory(git, source, { blobless: true });

    const headCommit = await tipOf(history, repoURL, sourceBranch);
    const [existing] = (await pullRequests.find({ head: sourceBranch, base: targetBranch, headCommit })).sort(
      newestFirst,
    );
    if (existing !== undefined) return succeeded(outputOf(existing));
    const baseCommit = await tipOf(history, repoURL, targetBranch);
    if (await history.sameFiles(headCommit, baseCommit)) {
      return skipped(`Branches "${sourceBranch}" and "${targetBranch}" hold the same files`);
    }

    const words = wordsOf(await history.message(headCommit), config);
    const description = withLink(words.description, ctx);
    // Journalled, since a pull request that was merged in the meantime would not be found by a second run.
    const output = await ctx.once(record, async () =>
      outputOf(
        await pullRequests.create({
          head: sourceBranch,
          base: targetBranch,
          title: words.title,
          description,
          labels: config.labels,
        }),
      ),
    );
    ctx.log.info(`Opened ${output.pr.url}`);
    return succeeded(output);
  },

  async takeBack(config, ctx) {
    if (!config.closeOnAbort) return;
    const opened = Opened.safeParse((await ctx.recorded(record))?.value).data;
    if (opened === undefined) return;
    const pullRequests = await pullRequestsOf(ctx, config);
    await pullRequests.close(opened.pr.id);
    ctx.log.info(`Closed ${opened.pr.url}, since the promotion was aborted`);
  },
});

async function tipOf(history: History, repoURL: string, branch: string): Promise<string> {
  const commit = await history.tip(branch);
  if (commit !== undefined) return commit;
  throw new StepFailure(
    "errored",
    `Cannot open a pull request in "${repoURL}": it has no branch "${branch}"`,
  );
}

function newestFirst(one: PullRequest, other: PullRequest): number {
  return other.createdAt.localeCompare(one.createdAt);
}

function outputOf({ id, url }: PullRequest): { pr: { id: number; url: string } } {
  return { pr: { id, url } };
}

/** What the configuration leaves out is taken from the commit's message, each line of it once. */
function wordsOf(
  message: string,
  config: { title?: string | undefined; description?: string | undefined },
): { title: string; description: string } {
  const [firstLine = "", ...others] = message.split("\n");
  const rest = config.title === undefined ? others.join("\n").trim() : message;
  return { title: config.title ?? firstLine, description: config.description ?? rest };
}

function withLink(description: string, { uiBaseUrl, project, stage }: StepContext): string {
  if (uiBaseUrl === "") return description;
  return `${description}\n\n[View in Towpath](${uiBaseUrl}/project/${project}/stage/${stage})`;
}
