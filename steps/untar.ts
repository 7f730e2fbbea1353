import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { codeOf, fileFailure } from "#core/file-failure.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { extractTar } from "./lib/extract-tar.ts";
import { ignoreRules } from "./lib/ignore-rules.ts";

export default defineStep({
  name: "untar",
  summary: "Unpacks a tar archive, compressed with gzip or not.",
  notes:
    "The target folder is replaced as a whole, and only once everything is unpacked. Entries that would lead out " +
    "of it, hard links and special files are left out, with a warning in the log; symbolic links are kept where " +
    "they stay inside. A file may have 50 MiB, all files together 100 MiB.",
  config: z.strictObject({
    inPath: z.string().min(1).describe("The archive, in the workspace."),
    outPath: z.string().min(1).describe("The folder to unpack into; what it holds is replaced."),
    stripComponents: z
      .int()
      .min(0)
      .default(0)
      .describe("How many leading folders to take off each entry's path."),
    ignore: z
      .string()
      .min(1)
      .optional()
      .describe(
        "What to leave out: patterns as in a `.gitignore` file, one on each line. Without it, `.git`.",
      ),
  }),
  output: z.object({}),
  examples: [
    {
      title: "Unpack a download without its top folder",
      yaml: `
        uses: untar
        config:
          inPath: ./downloads/app.tar.gz
          outPath: ./app
          stripComponents: 1
          ignore: |
            docs/
            *.md`,
    },
  ],

  async run({ inPath, outPath, stripComponents, ignore }, ctx) {
    const archive = await ctx.workspace.resolve(inPath);
    const target = await ctx.workspace.resolve(outPath);
    if (target === ctx.workspace.root) {
      throw new StepFailure("refused", `Cannot unpack into "${outPath}": it is the workspace itself`);
    }
    const folder = await mkdtemp(path.join(ctx.workspace.root, ".untar-"));
    try {
      const ignores = ignoreRules(ignore, { alsoIgnored: ignore === undefined ? [".git"] : [] });
      const onUnsafe = (name: string, why: string) => ctx.log.warn(`Left out "${name}": ${why}`);
      await extractTar({ archive, folder, stripComponents, ignores, signal: ctx.signal, onUnsafe });
      await mkdir(target, { recursive: true, mode: 0o750 });
      await replaceFolder(folder, target);
    } catch (error) {
      ctx.signal.throwIfAborted();
      throw archiveFailure(`Cannot unpack "${inPath}"`, error);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return succeeded();
  },
});

async function replaceFolder(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (codeOf(error) !== "ENOTEMPTY" && codeOf(error) !== "EEXIST") throw error;
    await rm(to, { recursive: true });
    await rename(from, to);
  }
}

function archiveFailure(what: string, error: unknown): StepFailure {
  if (!(error instanceof StepFailure)) return fileFailure(what, error);
  return new StepFailure(error.kind, `${what}: ${error.message}`, { cause: error });
}
