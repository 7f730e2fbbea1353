import { stat } from "node:fs/promises";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { fileFailure } from "#core/file-failure.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { createTar } from "./lib/create-tar.ts";
import { ignoreRules } from "./lib/ignore-rules.ts";
import { placeFile } from "./lib/place-file.ts";

export default defineStep({
  name: "tar",
  summary: "Packs a file or a folder into a tar archive.",
  notes:
    "Entries of a folder are named relative to it. Symbolic links stay links. A file may have 50 MiB, all files " +
    "together 100 MiB.",
  config: z.strictObject({
    inPath: z.string().min(1).describe("The file or folder to pack, in the workspace."),
    outPath: z.string().min(1).describe("The archive to write; it is replaced if it exists."),
    ignore: z
      .string()
      .min(1)
      .optional()
      .describe(
        "What to leave out: patterns as in a `.gitignore` file, one on each line. Without it, `.git`.",
      ),
    gzip: z.boolean().default(false).describe("Compress the archive with gzip."),
  }),
  output: z.object({}),
  examples: [
    {
      title: "Pack manifests",
      yaml: `
        uses: tar
        config:
          inPath: ./out/manifests
          outPath: ./out/manifests.tar.gz
          gzip: true
          ignore: |
            *.tmp`,
    },
  ],

  async run({ inPath, outPath, ignore, gzip }, ctx) {
    const source = await ctx.workspace.resolve(inPath);
    const archive = await ctx.workspace.resolve(outPath);
    const what = `Cannot pack "${inPath}" into "${outPath}"`;
    try {
      await stat(source);
      const ignores = ignoreRules(ignore, { alsoIgnored: ignore === undefined ? [".git"] : [] });
      await placeFile(archive, (beside) =>
        createTar({ source, archive: beside, except: [archive, beside], gzip, ignores, signal: ctx.signal }),
      );
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!(error instanceof StepFailure)) throw fileFailure(what, error);
      throw new StepFailure(error.kind, `${what}: ${error.message}`, { cause: error });
    }
    return succeeded();
  },
});
