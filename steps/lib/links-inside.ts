import { readdir, realpath, stat } from "node:fs/promises";
import path from "node:path";
import type { Workspace } from "#core/workspace.ts";

/**
 * Refuses a folder from which symbolic links lead out of the workspace, on whatever way: programs that read
 * the folder would follow them. Links that lead nowhere are left to the program.
 */
export async function refuseLinksOut(
  workspace: Workspace,
  start: string,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Set<string>();
  const pending = [start];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    signal.throwIfAborted();
    const folder = await realpath(at);
    if (seen.has(folder)) continue;
    seen.add(folder);
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const inside = path.join(folder, entry.name);
      if (entry.isDirectory()) pending.push(inside);
      if (!entry.isSymbolicLink()) continue;
      const target = await workspace.resolve(path.relative(workspace.root, inside));
      const found = await stat(target).catch(() => undefined);
      if (found?.isDirectory()) pending.push(target);
    }
  }
}
