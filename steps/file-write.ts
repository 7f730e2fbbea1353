import { chmod, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { fileFailure } from "#core/file-failure.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { placeFile } from "./lib/place-file.ts";

const defaultPermissions = "0600";

export default defineStep({
  name: "file-write",
  summary: "Writes a file.",
  notes:
    "The content is written as it is, with no line end added. The path is relative and has no symbolic links in " +
    "it, and nothing is written into `.git`. Executable and world-writable files are refused.",
  config: z.strictObject({
    path: z
      .string()
      .min(1)
      .describe("Path of the file, relative to the workspace; missing folders are made."),
    contents: z.string().describe("What the file is to hold; may be empty."),
    permissions: z
      .string()
      .regex(/^0[0-7]{3}$/, 'must be an octal mode such as "0644"')
      .default(defaultPermissions)
      .describe("Mode of the file, in octal digits."),
    overwrite: z.boolean().default(false).describe("Replace the file if it exists."),
  }),
  output: z.object({}),
  examples: [
    {
      title: "Write a small configuration",
      yaml: `
        uses: file-write
        config:
          path: ./out/config.yaml
          contents: |
            environment: \${{ ctx.stage }}
          permissions: "0644"
          overwrite: true`,
    },
  ],

  async run({ path: wanted, contents, permissions, overwrite }, ctx) {
    const mode = modeOf(permissions);
    const place = await placeOf(wanted, ctx);
    // A second run, after a crash or for another attempt, finds the file that the first one wrote.
    // Asked once: after a crash, the file that is there may be the one that this step wrote.
    await ctx.once(`may write ${wanted}`, async () => {
      if (!overwrite && (await ctx.workspace.exists(wanted))) {
        throw new StepFailure("failed", `Cannot write "${wanted}": it exists, and overwrite is not set`);
      }
      return true;
    });
    try {
      await placeFile(place, async (beside) => {
        await writeFile(beside, contents, { flag: "wx", mode: 0o600 });
        await chmod(beside, mode);
      });
    } catch (error) {
      throw fileFailure(`Cannot write "${wanted}"`, error);
    }
    return succeeded();
  },
});

function modeOf(permissions: string): number {
  const mode = Number.parseInt(permissions, 8);
  const wrong = (what: string) =>
    new StepFailure("config", `Cannot use permissions "${permissions}": ${what}`);
  if ((mode & 0o111) !== 0) throw wrong("an executable file must not be made");
  if ((mode & 0o002) !== 0) throw wrong("a file that everybody may write must not be made");
  return mode;
}

async function placeOf(wanted: string, { workspace }: StepContext): Promise<string> {
  const wrong = (why: string) => new StepFailure("config", `Cannot write "${wanted}": ${why}`);
  if (path.isAbsolute(wanted)) throw wrong("the path must be relative");
  const clean = path.normalize(wanted).replace(/\/$/, "");
  if (clean.split("/").includes("..")) throw wrong('".." leads out of the workspace');
  if (clean.split("/").some((name) => name.toLowerCase() === ".git"))
    throw wrong("nothing may be written into .git");
  const place = await workspace.resolve(wanted).catch((error: unknown) => {
    throw error instanceof StepFailure ? wrong(error.message) : error;
  });
  if (place !== path.join(workspace.root, clean)) throw wrong("the path leads over a symbolic link");
  return place;
}
