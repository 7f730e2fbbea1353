import { lstat, readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";

/** All files below a folder with their content; a symbolic link shows as `-> target`. */
export async function listTree(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const at = path.join(folder, name);
    const stats = await lstat(at);
    if (stats.isSymbolicLink()) found[name] = `-> ${await readlink(at)}`;
    else if (stats.isFile()) found[name] = await readFile(at, "utf8");
  }
  return found;
}
