import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { readUtf8 } from "./lib/edit-file.ts";
import { mergeYaml } from "./lib/yaml-merge.ts";

export default defineStep({
  name: "yaml-merge",
  summary: "Merges YAML files into one, each laid over those before it.",
  notes:
    "Maps are merged key by key. Lists and single values are replaced as a whole, and a key that a later file " +
    "sets to null is taken away. A map, a list and a single value cannot be merged with one another. Of a file " +
    "with several documents the first one counts. With no file left to merge, the result is an empty file.",
  config: z.strictObject({
    inFiles: z.array(z.string()).min(1).describe("Paths of the files to merge, the base first."),
    outFile: z.string().min(1).describe("Path of the file to write."),
    ignoreMissingFiles: z.boolean().default(false).describe("Go on without files that do not exist."),
  }),
  output: z.object({
    commitMessage: z
      .string()
      .optional()
      .describe("Tells what was merged; git-commit can use it as its message."),
  }),
  examples: [
    {
      title: "Values of an environment over common ones",
      yaml: `
        uses: yaml-merge
        config:
          inFiles:
          - ./src/values.yaml
          - ./src/env/test/values.yaml
          outFile: ./out/values.yaml
          ignoreMissingFiles: true`,
    },
  ],

  async run({ inFiles, outFile, ignoreMissingFiles }, ctx) {
    const present = await filesThere(inFiles, ignoreMissingFiles, ctx);
    const sources = await Promise.all(
      present.map(async (name) => ({ name, text: await readUtf8(ctx, name) })),
    );
    await ctx.workspace.write(outFile, mergeYaml(sources));
    return succeeded(present.length === 0 ? undefined : { commitMessage: messageOf(present, outFile) });
  },
});

async function filesThere(
  inFiles: readonly string[],
  ignoreMissing: boolean,
  ctx: StepContext,
): Promise<string[]> {
  const there: string[] = [];
  for (const file of inFiles) {
    if (await ctx.workspace.exists(file)) there.push(file);
    else if (!ignoreMissing)
      throw new StepFailure("errored", `Cannot merge file "${file}": there is no such file`);
  }
  return there;
}

function messageOf(files: readonly string[], outFile: string): string {
  if (files.length === 1) return `Wrote ${files[0]} to ${outFile}`;
  return `Merged ${files.length} YAML files to ${outFile}${files.map((file) => `\n- ${file}`).join("")}`;
}
