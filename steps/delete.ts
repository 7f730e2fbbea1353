import { lstat, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { fileFailure } from "#core/file-failure.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { oneOf } from "#steps/lib/one-of.ts";
import { findByGlob } from "./lib/find-by-glob.ts";

const config = z
  .strictObject({
    path: z.string().min(1).optional().describe("The file or folder to delete. Instead of `paths`."),
    paths: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .describe("The files and folders to delete. Instead of `path`."),
    pathsAreGlobs: z
      .boolean()
      .default(false)
      .describe("Read the paths as patterns: `*`, `**`, `?`, `[a-z]` and `{a,b}`."),
    strict: z
      .boolean()
      .default(false)
      .describe("Fail when a path does not exist or a pattern matches nothing."),
  })
  .refine(
    ({ path: one, paths }) => (one === undefined) !== (paths === undefined),
    oneOf("needs either path or paths"),
  );

export default defineStep({
  name: "delete",
  summary: "Deletes files and folders of the workspace.",
  notes:
    "A symbolic link is deleted itself, never what it points to. A pattern that ends in `/**` fits the folder before it, too.",
  config,
  output: z.object({}),
  examples: [
    {
      title: "Delete a folder",
      yaml: `
        uses: delete
        config:
          path: ./out/old`,
    },
    {
      title: "Delete by patterns",
      yaml: `
        uses: delete
        config:
          paths:
          - "**/*.tmp"
          - ./build/{cache,log}
          pathsAreGlobs: true
          strict: true`,
    },
  ],

  async run({ path: one, paths = [], pathsAreGlobs, strict }, ctx) {
    const named = one === undefined ? paths : [one];
    // All are found before the first is deleted, so that a mistake in one leaves the others alone.
    const places: string[] = [];
    for (const name of named) {
      const found = pathsAreGlobs ? await placesOfGlob(name, ctx) : await placeOf(name, ctx);
      if (found.length === 0 && strict) throw nothingThere(name, pathsAreGlobs);
      places.push(...found);
    }
    for (const place of new Set(places)) {
      await rm(place, { recursive: true, force: true }).catch((error: unknown) => {
        throw fileFailure(`Cannot delete "${path.relative(ctx.workspace.root, place)}"`, error);
      });
    }
    return succeeded();
  },
});

function nothingThere(name: string, isGlob: boolean): StepFailure {
  const why = isGlob ? `no paths match the pattern "${name}"` : `"${name}" does not exist`;
  return new StepFailure("errored", `Cannot delete: ${why}`);
}

async function placesOfGlob(pattern: string, ctx: StepContext): Promise<string[]> {
  const names = await findByGlob(ctx.workspace, pattern);
  return (await Promise.all(names.map((name) => placeOf(name, ctx)))).flat();
}

/** Where the entry itself is: links on the way to it are followed, one at its end is not. */
async function placeOf(name: string, { workspace }: StepContext): Promise<string[]> {
  const clean = path.posix.normalize(`./${name}`).replace(/\/$/, "");
  if (clean === "" || clean === ".")
    throw new StepFailure("refused", `Cannot delete "${name}": it is the workspace itself`);
  const place = path.join(await workspace.resolve(path.posix.dirname(clean)), path.posix.basename(clean));
  if (path.posix.basename(clean) === "..") await workspace.resolve(clean);
  return (await lstat(place).then(
    () => true,
    () => false,
  ))
    ? [place]
    : [];
}
