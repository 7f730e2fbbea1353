import { z } from "zod";
import { addAll, commit, findHead, hasChanges, head } from "#core/git/work-tree.ts";
import { defineStep, skipped, succeeded } from "#core/step.ts";
import { authorField, commitOutput, pathField, workTreeOf } from "#steps/lib/git-steps.ts";

export default defineStep({
  name: "git-commit",
  summary: "Commits all changes in a Git work tree to its branch.",
  notes: "Without changes the step is skipped; its output names the commit that is there.",
  config: z.strictObject({
    path: pathField,
    message: z.string().min(1).describe("Commit message."),
    author: authorField
      .optional()
      .describe("Deprecated, name the author in git-clone. Replaces the clone's author and signing key."),
  }),
  output: commitOutput,
  examples: [
    {
      title: "Commit what earlier steps changed",
      yaml: `
uses: git-commit
config:
  path: ./out
  message: \${{ outputs['update-image'].commitMessage }}`,
    },
  ],

  async run({ path, message, author }, ctx) {
    const tree = await workTreeOf(ctx, path);
    // Tells a commit that this step made before a crash from one that was there: without it, the step
    // would find nothing to commit when it is run again, and call itself skipped.
    const before = await ctx.once("head", async () => (await findHead(tree)) ?? "");
    await addAll(tree);
    if (await hasChanges(tree)) {
      await commit(tree, message, author);
      const made = await head(tree);
      ctx.log.info(`Committed ${made}`);
      return succeeded({ commit: made });
    }
    const now = await head(tree);
    return now === before
      ? skipped("There is nothing to commit", { commit: now })
      : succeeded({ commit: now });
  },
});
