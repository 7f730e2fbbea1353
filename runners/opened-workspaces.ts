import type { Workspace } from "#core/workspace.ts";
import { openWorkspace } from "#core/workspace-folder.ts";

const mostKept = 200;

/** Opens workspaces, and the same one only once while it is in use: the steps of a promotion share it. */
export function createWorkspaceOpener(): (root: string) => Promise<Workspace> {
  const opened = new Map<string, Workspace>();
  return async (root) => {
    const known = opened.get(root);
    const workspace = known ?? (await openWorkspace(root));
    opened.delete(root);
    opened.set(root, workspace);
    const [longestUnused] = opened.keys();
    if (opened.size > mostKept && longestUnused !== undefined) opened.delete(longestUnused);
    return workspace;
  };
}
