import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { StepContext } from "#core/step.ts";

/** Writes all files of a folder of this machine into one of the workspace; what else is there stays. */
export async function writeTree(ctx: StepContext, source: string, target: string): Promise<void> {
  for (const entry of await readdir(source, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    ctx.signal.throwIfAborted();
    const at = path.join(entry.parentPath, entry.name);
    await ctx.workspace.write(`${target}/${path.relative(source, at)}`, await readFile(at));
  }
}
