import { chmod, constants, copyFile, lstat, mkdir, readdir } from "node:fs/promises";
import path from "node:path";
import type { Workspace } from "#core/workspace.ts";
import type { IgnoreRules } from "./ignore-rules.ts";
import { placeFile } from "./place-file.ts";

interface Copying {
  workspace: Workspace;
  /** The folder being copied, absolute. */
  source: string;
  /** Where it goes, absolute. */
  target: string;
  ignores: IgnoreRules;
  signal: AbortSignal;
}

/** Copies a folder into another, adding to what is there. Symbolic links and special files are left out. */
export async function copyTree(copying: Copying, inside = ""): Promise<void> {
  copying.signal.throwIfAborted();
  const from = path.join(copying.source, inside);
  // A copy of a folder into itself would never end.
  if (inside !== "" && from === copying.target) return;
  const to = await targetOf(copying, inside);
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const name = path.posix.join(inside, entry.name);
    if (entry.isDirectory()) {
      if (!copying.ignores(`${name}/`)) await copyTree(copying, name);
    } else if (entry.isFile() && !copying.ignores(name)) {
      await copyOneFile(path.join(from, entry.name), await targetOf(copying, name));
    }
  }
  await chmod(to, (await lstat(from)).mode & 0o777);
}

/** The place for an entry, which a link in the target folder may have moved but not out of the workspace. */
async function targetOf({ workspace, target }: Copying, inside: string): Promise<string> {
  return await workspace.resolve(path.relative(workspace.root, path.join(target, inside)));
}

/** Copies content and mode. */
export async function copyOneFile(from: string, to: string): Promise<void> {
  await placeFile(to, (beside) =>
    copyFile(from, beside, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE),
  );
}
