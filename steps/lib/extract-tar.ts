import { chmod, mkdir, open, rm, symlink, utimes } from "node:fs/promises";
import path from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { type Extract, extract, type Header } from "tar-stream";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";
import type { Workspace } from "#core/workspace.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import type { IgnoreRules } from "./ignore-rules.ts";

export const maxArchiveBytes = 100 * 1024 * 1024;
export const maxFileBytes = 50 * 1024 * 1024;
const maxEntries = 100_000;
/** Of all that comes out of the compression, what is left out included. */
const maxUnpackedBytes = 10 * maxArchiveBytes;

interface Extraction {
  /** Absolute path of the archive. */
  archive: string;
  /** An empty folder. */
  folder: string;
  stripComponents: number;
  ignores: IgnoreRules;
  signal: AbortSignal;
  /** Told of each entry that is left out because it would not be safe. */
  onUnsafe(name: string, why: string): void;
}

/** Unpacks a tar archive, compressed with gzip or not, into a folder that nothing of it can leave. */
export async function extractTar(extraction: Extraction): Promise<void> {
  const { archive, signal } = extraction;
  const inside = await openWorkspace(extraction.folder);
  const entries = extract();
  const file = await open(archive, "r");
  try {
    const isGzip = await startsAsGzip(file);
    const source = file.createReadStream({ start: 0, autoClose: false });
    const unpacking = isGzip
      ? pipeline(source, createGunzip(), bounded(maxUnpackedBytes), entries, { signal })
      : pipeline(source, entries, { signal });
    await Promise.all([unpacking, readEntries(entries, inside, extraction)]);
  } finally {
    await file.close();
  }
}

async function startsAsGzip(file: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(2), 0, 2, 0);
  if (bytesRead === 0) throw new Error("it is empty");
  return buffer[0] === 0x1f && buffer[1] === 0x8b;
}

function bounded(maxBytes: number): Transform {
  let bytes = 0;
  return new Transform({
    transform(chunk, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBytes ? tooLarge("what it unpacks to", maxBytes) : null, chunk);
    },
  });
}

function tooLarge(what: string, maxBytes: number): StepFailure {
  return new StepFailure("errored", `extraction aborted: ${what} exceeds size limit of ${maxBytes} bytes`);
}

async function readEntries(entries: Extract, inside: Workspace, extraction: Extraction): Promise<void> {
  let total = 0;
  let count = 0;
  for await (const entry of entries) {
    const { header } = entry;
    count += 1;
    if (count > maxEntries)
      throw new StepFailure("errored", `extraction aborted: it has more than ${maxEntries} entries`);
    const name = placeName(header, extraction);
    if (name === undefined) {
      entry.resume();
      continue;
    }
    if (header.type === "file") {
      if (header.size > maxFileBytes) throw tooLarge(`file "${name}"`, maxFileBytes);
      total += header.size;
      if (total > maxArchiveBytes) throw tooLarge("the total of its files", maxArchiveBytes);
    }
    try {
      await place(header, name, entry as AsyncIterable<Uint8Array>, inside, extraction);
    } finally {
      entry.resume();
    }
  }
}

/** Where an entry goes, relative to the folder; undefined when it is left out. */
function placeName(
  { name, type }: Header,
  { stripComponents, ignores, onUnsafe }: Extraction,
): string | undefined {
  if (type !== "file" && type !== "directory" && type !== "symlink") {
    if (type === "link") onUnsafe(name, "it is a hard link");
    return undefined;
  }
  const parts = name.split("/");
  if (stripComponents > 0 && parts.length <= stripComponents) return undefined;
  const stripped = parts.slice(stripComponents).join("/");
  if (stripped === "" || stripped === "/") return undefined;
  if (!isSafe(stripped)) {
    onUnsafe(name, "its path is absolute or has . or .. or a backslash in it");
    return undefined;
  }
  const isIgnored = ignores(type === "directory" ? `${stripped.replace(/\/$/, "")}/` : stripped);
  return isIgnored ? undefined : stripped.replace(/\/+$/, "");
}

function isSafe(name: string): boolean {
  if (name === "" || /[\\\0]/.test(name) || name.startsWith("/") || name.startsWith("./")) return false;
  return !name.split("/").includes("..");
}

async function place(
  header: Header,
  name: string,
  content: AsyncIterable<Uint8Array>,
  inside: Workspace,
  { onUnsafe }: Extraction,
): Promise<void> {
  // A link of the archive may stand on the way; what leads out over it is refused here.
  const folder = await inside.resolve(path.posix.dirname(name));
  const at = path.join(folder, path.posix.basename(name));
  await mkdir(folder, { recursive: true, mode: 0o750 });
  if (header.type === "directory") {
    await mkdir(at, { recursive: true, mode: 0o750 });
  } else if (header.type === "symlink") {
    await placeLink(header.linkname, name, at, inside, onUnsafe);
  } else {
    await placeContent(header, at, content);
  }
}

async function placeLink(
  target: string,
  name: string,
  at: string,
  inside: Workspace,
  onUnsafe: Extraction["onUnsafe"],
): Promise<void> {
  if (!isSafe(target)) return onUnsafe(name, `it is a symbolic link to "${target}"`);
  try {
    await inside.resolve(path.posix.join(path.relative(inside.root, path.dirname(at)), target));
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    return onUnsafe(name, error.message);
  }
  await symlink(target, at).catch((error: unknown) => {
    if (codeOf(error) !== "EEXIST") throw error;
  });
}

async function placeContent(header: Header, at: string, content: AsyncIterable<Uint8Array>): Promise<void> {
  // What an earlier entry left there is not written through, should it be a link.
  await rm(at, { force: true });
  const file = await open(at, "wx", 0o600);
  try {
    for await (const chunk of content) await file.write(chunk);
  } finally {
    await file.close();
  }
  await chmod(at, header.mode & 0o777 & ~process.umask());
  if (header.mtime.getTime() > 0) await utimes(at, header.mtime, header.mtime);
}
