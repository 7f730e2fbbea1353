import { lstat } from "node:fs/promises";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";

/** What a kustomization may be called, in Kustomize's order. */
export const kustomizationNames = ["kustomization.yaml", "kustomization.yml", "Kustomization"] as const;

/** Path of the one kustomization in a folder of the workspace. Symbolic links do not count as such. */
export async function findKustomization(folder: string, shown: string): Promise<string> {
  const found: string[] = [];
  for (const name of kustomizationNames) {
    if (await isRegularFile(path.join(folder, name))) found.push(name);
  }
  const [only, ...others] = found;
  const what = `Cannot find the kustomization of "${shown}"`;
  if (only === undefined) {
    throw new StepFailure("errored", `${what}: the folder has no ${kustomizationNames.join(" or ")}`);
  }
  if (others.length > 0) {
    throw new StepFailure("errored", `${what}: the folder has several, ${found.join(" and ")}`);
  }
  return `${shown}/${only}`;
}

async function isRegularFile(at: string): Promise<boolean> {
  try {
    return (await lstat(at)).isFile();
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return false;
    throw error;
  }
}
