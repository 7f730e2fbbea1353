import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";
import type { Workspace } from "#core/workspace.ts";
import { type Glob, readGlob } from "./glob.ts";

/**
 * The paths in a workspace that a pattern matches, "." among them where the workspace itself fits. Patterns
 * do not lead over symbolic links, but for those that they name, which are refused when they leave the
 * workspace.
 */
export async function findByGlob(workspace: Workspace, pattern: string): Promise<string[]> {
  const glob = globOf(pattern);
  const start = await workspace.resolve(glob.base);
  const found: string[] = [];
  const visit = (name: string, isFolder: boolean) => {
    if (glob.matches(name) && (isFolder || !glob.foldersOnly)) found.push(name === "" ? "." : name);
  };
  const base = await stat(start).catch(() => undefined);
  if (base) visit(glob.base, base.isDirectory());
  await walk(start, glob.base, visit);
  return found.sort();
}

function globOf(pattern: string): Glob {
  try {
    return readGlob(pattern.replace(/^(\.?\/)+/, ""));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure("refused", `Cannot read pattern "${pattern}": ${why}`, { cause: error });
  }
}

type Visit = (name: string, isFolder: boolean) => void;

async function walk(folder: string, name: string, visit: Visit): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    const child = name === "" ? entry.name : `${name}/${entry.name}`;
    visit(child, entry.isDirectory());
    if (entry.isDirectory()) await walk(path.join(folder, entry.name), child, visit);
  }
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return [];
    throw error;
  }
}
