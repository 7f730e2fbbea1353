import { mkdir, readdir, realpath, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { isInside } from "#core/git/git-url.ts";

/**
 * Makes a stand-in for a tree in which some files have another text: folders on the way to those, and to
 * `folders`, are folders, and all else are links to what there is. All paths are absolute and real.
 */
export async function stageTree(
  root: string,
  stage: string,
  folders: readonly string[],
  texts: ReadonlyMap<string, string>,
): Promise<void> {
  const isOnWay = (at: string) => folders.some((folder) => isInside(at, folder));
  const standIn = (at: string) => path.join(stage, path.relative(root, at));

  async function fill(folder: string): Promise<void> {
    await mkdir(standIn(folder), { recursive: true });
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const at = path.join(folder, entry.name);
      const text = texts.get(at);
      if (text !== undefined) await writeFile(standIn(at), text);
      else if (entry.isDirectory() && isOnWay(at)) await fill(at);
      else if (entry.isSymbolicLink()) await link(at);
      else await symlink(at, standIn(at));
    }
  }

  /** To the stand-in of what it leads to; a link that leads nowhere or out is left out. */
  async function link(at: string): Promise<void> {
    const target = await realpath(at).catch(() => undefined);
    if (target !== undefined && isInside(root, target)) await symlink(standIn(target), standIn(at));
  }

  await fill(root);
}
