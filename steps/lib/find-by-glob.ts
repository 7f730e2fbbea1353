import { lstat, readdir } from "node:fs/promises";
import path from "node:path";
import picomatch from "picomatch";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";
import type { Workspace } from "#core/workspace.ts";

/**
 * The paths in a workspace that a glob matches. Knows `*`, `**`, `?`, `[a-z]` and `{a,b}`; names that begin
 * with a dot are matched as others are. `**` does not lead over symbolic links; a link that the pattern
 * names is followed, and refused when it leaves the workspace.
 */
export async function findByGlob(workspace: Workspace, pattern: string): Promise<string[]> {
  const wanted = pattern.replace(/^(\.?\/)+/, "");
  const { matches, base } = compile(pattern, wanted);
  const start = await workspace.resolve(base);
  const found = new Set<string>();
  if (wanted === base) {
    if (await exists(start)) found.add(base);
    return [...found];
  }
  await walk(start, base, (name) => {
    if (matches(name)) found.add(name);
  });
  return [...found].sort();
}

function compile(pattern: string, wanted: string): { matches: (name: string) => boolean; base: string } {
  try {
    const options = { dot: true, noextglob: true, nonegate: true, strictBrackets: true } as const;
    const matches = picomatch(wanted, options);
    const { base, isGlob } = picomatch.scan(wanted);
    return { matches: (name) => matches(name), base: isGlob ? base : wanted };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure("refused", `Cannot read pattern "${pattern}": ${why}`, { cause: error });
  }
}

async function walk(folder: string, name: string, visit: (name: string) => void): Promise<void> {
  for (const entry of await entriesOf(folder)) {
    const child = path.posix.join(name, entry.name);
    visit(child);
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

async function exists(at: string): Promise<boolean> {
  return await lstat(at).then(
    () => true,
    () => false,
  );
}
