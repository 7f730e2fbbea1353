import { lchown, readdir } from "node:fs/promises";
import { join } from "node:path";

/** The user without rights that Kargo runs custom steps as. */
const nobodyInParticular = 65532;

/**
 * Who a command runs as when nobody is named: the daemon's own user, so that both can write to the
 * workspace. A daemon that is root lends its workspace to a user without rights instead.
 */
export function defaultUser(): { uid: number; gid: number } {
  const uid = process.getuid?.() ?? 0;
  if (uid === 0) return { uid: nobodyInParticular, gid: nobodyInParticular };
  return { uid, gid: process.getgid?.() ?? uid };
}

/** Who is to own the workspace while a command runs as `user`: a name is known in its image alone. */
export function workspaceOwner(user: string | undefined): { uid: number; gid: number } {
  const [, uid, gid = uid] = /^(\d+)(?::(\d+))?$/.exec(user ?? "") ?? [];
  return uid === undefined ? defaultUser() : { uid: Number(uid), gid: Number(gid) };
}

/** Gives a tree to a user when the daemon may do so. Links are given away themselves, never what they point at. */
export async function lendTree(folder: string, { uid, gid }: { uid: number; gid: number }): Promise<void> {
  if (process.getuid?.() !== 0) return;
  await lchown(folder, uid, gid);
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await lendTree(path, { uid, gid });
    else await lchown(path, uid, gid);
  }
}
