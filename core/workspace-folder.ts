import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { lstat, mkdir, open, readlink, realpath, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { codeOf, fileFailure } from "#core/file-failure.ts";
import type { Workspace } from "#core/workspace.ts";

/** As many links as Linux follows for one path. */
const maxLinks = 40;

/** The workspace in the existing folder `root`; the way to the folder itself may lead over symbolic links. */
export async function openWorkspace(root: string): Promise<Workspace> {
  return workspaceAt(await realpath(root), path.resolve(root));
}

/**
 * The workspace in the folder whose real path is `root`. Links that name the folder as `alias` does stay
 * inside, too.
 */
export function workspaceAt(root: string, alias: string = root): Workspace {
  const resolve = (wanted: string) => resolveInside({ root, alias }, wanted);
  return {
    root,
    resolve,
    readBytes: (wanted) => readInside(resolve, wanted),
    readText: async (wanted) => (await readInside(resolve, wanted)).toString("utf8"),
    write: async (wanted, content) => replaceFile(await resolve(wanted), wanted, content),
    async exists(wanted) {
      const found = await resolve(wanted);
      return (await lstatIfThere(found, wanted)) !== undefined;
    },
  };
}

interface Link {
  at: string;
  target: string;
}

/** A name still to be walked, and the link that it came from. */
interface Name {
  name: string;
  link?: Link;
}

/**
 * Walks the path as the kernel would, a name at a time, so that `..` behind a link means the parent of
 * the link's target. What does not exist cannot be a link and is taken as it is.
 */
async function resolveInside(folder: { root: string; alias: string }, wanted: string): Promise<string> {
  if (wanted.includes("\0")) throw refusal(wanted, "it has a NUL character in it");
  const { root } = folder;
  const pending: Name[] = namesOf(wanted);
  let current = root;
  let links = 0;

  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    if (next.name === "..") {
      if (current === root) throw refusal(wanted, escapeReason(root, next.link));
      current = path.dirname(current);
      continue;
    }
    const at = path.join(current, next.name);
    const found = await lstatIfThere(at, wanted);
    if (!found?.isSymbolicLink()) {
      current = at;
      continue;
    }
    links += 1;
    if (links > maxLinks) throw refusal(wanted, `it leads over more than ${maxLinks} symbolic links`);
    const link = { at, target: await readlink(at) };
    if (path.isAbsolute(link.target)) {
      const inside = insideOf(folder, link.target);
      if (inside === undefined) throw refusal(wanted, escapeReason(root, link));
      current = root;
      pending.unshift(...namesOf(inside, link));
    } else {
      pending.unshift(...namesOf(link.target, link));
    }
  }
  return current;
}

function namesOf(wanted: string, link?: Link): Name[] {
  const names = wanted.split("/").filter((name) => name !== "" && name !== ".");
  return names.map((name) => ({ name, link }));
}

/** The part of an absolute path behind the folder; undefined when it does not start there. */
function insideOf({ root, alias }: { root: string; alias: string }, target: string): string | undefined {
  for (const start of [root, alias]) {
    if (target === start) return "";
    if (target.startsWith(`${start}/`)) return target.slice(start.length + 1);
  }
  return undefined;
}

function escapeReason(root: string, link: Link | undefined): string {
  if (link === undefined) return `".." leads out of the workspace`;
  return `"${path.relative(root, link.at)}" is a symbolic link to "${link.target}", which is outside of the workspace`;
}

function refusal(wanted: string, why: string): StepFailure {
  return new StepFailure("refused", `Cannot use path ${JSON.stringify(wanted)}: ${why}`);
}

async function lstatIfThere(at: string, wanted: string) {
  try {
    return await lstat(at);
  } catch (error) {
    const code = codeOf(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    if (code === "ENAMETOOLONG") throw refusal(wanted, "a name in it is too long");
    throw error;
  }
}

async function readInside(resolve: Workspace["resolve"], wanted: string): Promise<Buffer> {
  const at = await resolve(wanted);
  try {
    // Non-blocking, since opening a FIFO would wait for its writer.
    const file = await open(at, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
      if (!found.isFile()) throw new Error("it is not a regular file");
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw fileFailure(`Cannot read file "${wanted}"`, error);
  }
}

/** Writes beside the file and renames, so that a reader never sees half of it and a hard link is cut. */
async function replaceFile(at: string, wanted: string, content: string | Uint8Array): Promise<void> {
  const beside = path.join(path.dirname(at), `.towpath-${randomUUID()}`);
  try {
    await mkdir(path.dirname(at), { recursive: true });
    const mode = await modeOfExisting(at, wanted);
    const file = await open(beside, "wx", mode ?? 0o644);
    try {
      await file.writeFile(content);
      if (mode !== undefined) await file.chmod(mode);
    } finally {
      await file.close();
    }
    await rename(beside, at);
  } catch (error) {
    await rm(beside, { force: true });
    throw fileFailure(`Cannot write file "${wanted}"`, error);
  }
}

async function modeOfExisting(at: string, wanted: string): Promise<number | undefined> {
  const found = await lstatIfThere(at, wanted);
  if (found === undefined) return undefined;
  if (found.isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
  return found.isFile() ? (await stat(at)).mode & 0o777 : undefined;
}
