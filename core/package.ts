import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

interface PackageJson {
  name?: string;
  version?: string;
}

const { root, version: ownVersion } = findPackage(dirname(fileURLToPath(import.meta.url)));

/** Version of this package. */
export const version: string = ownVersion;

/** Absolute path of a file that the package ships, whether it runs from its sources or as it was built. */
export function packagePath(...segments: readonly string[]): string {
  return join(root, ...segments);
}

/** The nearest package.json above that is ours: built JavaScript has another one beside it. */
function findPackage(folder: string): { root: string; version: string } {
  const file = join(folder, "package.json");
  if (existsSync(file)) {
    const { name, version = "unknown" } = JSON.parse(readFileSync(file, "utf8")) as PackageJson;
    if (name === "towpath") return { root: folder, version };
  }
  const above = dirname(folder);
  if (above === folder) throw new Error(`No package.json of towpath above "${import.meta.url}"`);
  return findPackage(above);
}
