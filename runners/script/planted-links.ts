import { readdir, readlink } from "node:fs/promises";
import { join, relative } from "node:path";
import { StepFailure } from "#core/failure.ts";
import type { Workspace } from "#core/workspace.ts";

/**
 * Refuses symbolic links in folders that a script may use which could lead it out of the workspace: Deno looks
 * at the text of a path only. A script cannot make links, but one that it may write it could move, so that there
 * `..` in a link's target is refused as well.
 */
export async function refusePlantedLinks(
  workspace: Workspace,
  { read, write }: { read: readonly string[]; write: readonly string[] },
): Promise<void> {
  for (const path of read) await refuseLinksIn(workspace, await workspace.resolve(path), false);
  for (const path of write) await refuseLinksIn(workspace, await workspace.resolve(path), true);
}

async function refuseLinksIn(workspace: Workspace, folder: string, movable: boolean): Promise<void> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error) => {
    if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
    throw error;
  });
  for (const entry of entries) {
    const at = join(folder, entry.name);
    if (entry.isDirectory()) await refuseLinksIn(workspace, at, movable);
    if (!entry.isSymbolicLink()) continue;
    const path = relative(workspace.root, at);
    await workspace.resolve(path);
    const target = await readlink(at);
    if (movable && target.split("/").includes("..")) {
      throw new StepFailure(
        "refused",
        `Cannot let a script write where "${path}" is: it is a symbolic link to "${target}", which could be moved to lead out of the workspace; give it another folder, or run it in a container`,
      );
    }
  }
}
