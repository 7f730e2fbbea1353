import { homedir } from "node:os";
import { join } from "node:path";

/** Where the daemon listens unless told otherwise. */
export const defaultPort = 8420;

/** The daemon's data folder: TOWPATH_DATA, or `towpath` among the user's data files. */
export function dataFolder(env: NodeJS.ProcessEnv): string {
  const shared = env.XDG_DATA_HOME ?? join(homedir(), ".local", "share");
  return env.TOWPATH_DATA ?? join(shared, "towpath");
}
