import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Source } from "#core/resources/load.ts";
import type { Problem } from "#core/resources/problem.ts";

/** What files of resources are named in folders; a file named by the user may be called anything. */
const endings = [".yaml", ".yml", ".json"];
const maxFileBytes = 32 * 1024 * 1024;
const maxFolderDepth = 32;

/**
 * Reads the files that the paths name: a file itself, a folder with all that is below it, `-` the
 * standard input. What cannot be read is a problem, and the rest is read all the same.
 */
export async function readSources(
  paths: readonly string[],
  stdin: AsyncIterable<Uint8Array | string> = process.stdin,
): Promise<{ sources: Source[]; problems: Problem[] }> {
  const sources: Source[] = [];
  const problems: Problem[] = [];
  for (const path of paths) {
    try {
      if (path === "-") sources.push({ file: "<stdin>", text: await readStream(stdin) });
      else for (const file of await filesAt(path)) sources.push(await readSource(file));
    } catch (error) {
      problems.push({
        severity: "error",
        file: path,
        line: 0,
        column: 0,
        path: "",
        message: whyUnreadable(error),
      });
    }
  }
  return { sources, problems };
}

async function filesAt(path: string): Promise<string[]> {
  if (!(await stat(path)).isDirectory()) return [path];
  const files = await filesBelow(path, 0);
  if (files.length === 0) throw new Error(`the folder has no file that ends in ${endings.join(", ")}`);
  return files;
}

/** In the order of their names. Symbolic links are not followed: they may lead in circles. */
async function filesBelow(folder: string, depth: number): Promise<string[]> {
  if (depth > maxFolderDepth) throw new Error(`folders are nested deeper than ${maxFolderDepth} levels`);
  const entries = await readdir(folder, { withFileTypes: true });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: string[] = [];
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith(".")) {
      files.push(...(await filesBelow(path, depth + 1)));
    } else if (
      entry.isFile() &&
      endings.some((ending) => entry.name.endsWith(ending)) &&
      !isForKustomize(entry.name)
    ) {
      files.push(path);
    }
  }
  return files;
}

/** `kustomization.yaml` says how the files beside it are put together; it is no resource itself. */
function isForKustomize(name: string): boolean {
  return /^kustomization\.ya?ml$/.test(name);
}

async function readSource(file: string): Promise<Source> {
  const { size } = await stat(file);
  if (size > maxFileBytes) throw new Error(`the file has ${size} bytes; at most ${maxFileBytes} are read`);
  return { file, text: decode(await readFile(file)) };
}

async function readStream(stream: AsyncIterable<Uint8Array | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk as Uint8Array));
    size += chunk.length;
    if (size > maxFileBytes) throw new Error(`it is longer than ${maxFileBytes} bytes`);
  }
  return decode(Buffer.concat(chunks));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Error("it is not UTF-8 text");
  }
}

function whyUnreadable(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "ENOENT") return "cannot read it: there is no such file or folder";
  if (code === "EACCES") return "cannot read it: permission denied";
  return `cannot read it: ${message}`;
}
