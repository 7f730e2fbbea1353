import { z } from "zod";
import { addAll, clear } from "#core/git/work-tree.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { pathField, workTreeOf } from "#steps/lib/git-steps.ts";

export default defineStep({
  name: "git-clear",
  summary: "Deletes everything in a Git work tree but `.git`.",
  notes: "Files that Git ignores stay. Deleting again deletes nothing.",
  config: z.strictObject({ path: pathField }),
  output: z.object({}),
  examples: [
    {
      title: "Start from an empty branch",
      yaml: `
uses: git-clear
config:
  path: ./out`,
    },
  ],

  async run({ path }, ctx) {
    const tree = await workTreeOf(ctx, path);
    // Clearing removes what Git knows, so that it must know everything first.
    await addAll(tree);
    await clear(tree);
    return succeeded();
  },
});
