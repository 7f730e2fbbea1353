import { mkdir, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { StepFailure } from "#core/failure.ts";

/** Where promotions keep their files while they run: one folder for each, named by its uid. */
export interface WorkFolders {
  pathOf(uid: string): string;
  /** The folder of a promotion that has not begun yet; made now. */
  make(uid: string): Promise<void>;
  /**
   * The folder of a promotion that has. Throws when it is gone: starting over would repeat what its steps
   * have already done.
   */
  find(uid: string): Promise<void>;
  remove(uid: string): Promise<void>;
  /** The uids that have a folder. */
  list(): Promise<string[]>;
}

/** Folders under `root`, which need not exist yet; readable by the daemon's user alone. */
export function createWorkFolders(root: string): WorkFolders {
  const folderOf = (uid: string) => join(root, uid);
  return {
    pathOf: folderOf,
    async make(uid) {
      await mkdir(folderOf(uid), { recursive: true, mode: 0o700 });
    },
    async find(uid) {
      const folder = folderOf(uid);
      const found = await stat(folder).catch(() => undefined);
      if (found?.isDirectory()) return;
      throw new StepFailure(
        "refused",
        `Cannot resume the promotion: its working directory "${folder}" is gone, and starting over could repeat what its steps have done. Promote the freight again.`,
      );
    },
    async remove(uid) {
      await rm(folderOf(uid), { recursive: true, force: true, maxRetries: 3 });
    },
    async list() {
      return await readdir(root).catch(() => []);
    },
  };
}
