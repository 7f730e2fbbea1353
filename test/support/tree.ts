import { readdir, readFile, readlink } from "node:fs/promises";
import path from "node:path";

/** All files below a folder with their content; a symbolic link shows as `-> target` and is not followed. */
export async function listTree(folder: string, inside = ""): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const entries = await readdir(path.join(folder, inside), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const name = path.join(inside, entry.name);
    const at = path.join(folder, name);
    if (entry.isSymbolicLink()) found[name] = `-> ${await readlink(at)}`;
    else if (entry.isDirectory()) Object.assign(found, await listTree(folder, name));
    else if (entry.isFile()) found[name] = await readFile(at, "utf8");
  }
  return found;
}
