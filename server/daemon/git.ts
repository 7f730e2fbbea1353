import { createExec } from "#core/exec.ts";
import { createGit, type Git } from "#core/git/git.ts";
import { makeCacheFolder } from "#runners/step-context.ts";
import type { Parts } from "#server/daemon/parts.ts";
import type { DataFolder } from "#server/data-folder.ts";

/** Git for the daemon's own errands, ended by the signal. */
export function daemonGit({ lock }: Parts, folder: DataFolder, signal?: AbortSignal): Git {
  return createGit({
    exec: createExec({ cwd: folder.cache, signal }),
    cacheFolder: (name) => makeCacheFolder(folder.cache, name),
    exclusively: (key, work) => lock.run(key, work, signal),
  });
}
