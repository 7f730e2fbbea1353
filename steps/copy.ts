import { stat } from "node:fs/promises";
import { z } from "zod";
import { fileFailure } from "#core/file-failure.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { copyOneFile, copyTree } from "./lib/copy-tree.ts";
import { ignoreRules } from "./lib/ignore-rules.ts";

export default defineStep({
  name: "copy",
  summary: "Copies a file or a folder within the workspace.",
  notes:
    "A folder is copied with all that is in it, into what the target folder holds already; files of the same " +
    "name are replaced. Symbolic links are left out, and so is `.git` unless `ignore` says `!.git`.",
  config: z.strictObject({
    inPath: z.string().min(1).describe("The file or folder to copy, in the workspace."),
    outPath: z.string().min(1).describe("Where to copy it, in the workspace; missing folders are made."),
    ignore: z
      .string()
      .min(1)
      .optional()
      .describe("What to leave out of a folder: patterns as in a `.gitignore` file, one on each line."),
  }),
  output: z.object({}),
  examples: [
    {
      title: "Lay an overlay over a base",
      yaml: `
        uses: copy
        config:
          inPath: ./overlay/base
          outPath: ./src`,
    },
    {
      title: "Leave some files out",
      yaml: `
        uses: copy
        config:
          inPath: ./src
          outPath: ./out
          ignore: |
            *.test.yaml
            docs/`,
    },
  ],

  async run({ inPath, outPath, ignore }, ctx) {
    const source = await ctx.workspace.resolve(inPath);
    const target = await ctx.workspace.resolve(outPath);
    try {
      const found = await stat(source);
      if (found.isDirectory()) {
        const ignores = ignoreRules(ignore);
        await copyTree({ workspace: ctx.workspace, source, target, ignores, signal: ctx.signal });
      } else if (found.isFile()) {
        await copyOneFile(source, target);
      } else {
        throw new Error("it is neither a file nor a folder");
      }
    } catch (error) {
      ctx.signal.throwIfAborted();
      throw fileFailure(`Cannot copy "${inPath}" to "${outPath}"`, error);
    }
    return succeeded();
  },
});
