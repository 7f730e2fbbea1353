import { z } from "zod";
import { tagName } from "#core/git/ref-names.ts";
import { createTag, findCommit, head } from "#core/git/work-tree.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { commitOutput, pathField, workTreeOf } from "#steps/lib/git-steps.ts";

export default defineStep({
  name: "git-tag",
  summary: "Makes an annotated tag of the commit that is checked out in a work tree.",
  notes: "The tag is made in the workspace; git-push with the same `tag` brings it to the remote repository.",
  config: z.strictObject({
    path: pathField,
    tag: z.string().min(1).describe("Tag to make."),
    message: z.string().min(1).describe("Message of the tag."),
    force: z
      .boolean()
      .default(false)
      .describe("Whether a tag of that name is replaced. Tags are not expected to move."),
  }),
  output: commitOutput,
  examples: [
    {
      title: "Tag the commit and push the tag",
      yaml: `
uses: git-tag
config:
  path: ./out
  tag: v1.0.0
  message: Release v1.0.0`,
    },
  ],

  async run({ path, tag, message, force }, ctx) {
    const tree = await workTreeOf(ctx, path);
    const commit = await head(tree);
    const ref = `refs/tags/${tagName(tag)}`;
    // A tag that this step made before a crash must not stop it when it is run again.
    const before = await ctx.once("tag", async () => (await findCommit(tree, ref)) ?? "");
    const isOurs = before === "" && (await findCommit(tree, ref)) === commit;
    if (!isOurs) await createTag(tree, tag, message, force);
    ctx.log.info(`Tagged ${commit} as ${tag}`);
    return succeeded({ commit });
  },
});
