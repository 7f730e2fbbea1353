import { createReadStream, createWriteStream, type Stats } from "node:fs";
import { lstat, readdir, readlink } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import { type Pack, pack } from "tar-stream";
import { StepFailure } from "#core/failure.ts";
import { maxArchiveBytes, maxFileBytes } from "./extract-tar.ts";
import type { IgnoreRules } from "./ignore-rules.ts";

interface Archiving {
  /** A file or a folder, absolute. */
  source: string;
  /** The new archive, absolute. */
  archive: string;
  /** Not archived, should they be in the folder. */
  except: readonly string[];
  gzip: boolean;
  ignores: IgnoreRules;
  signal: AbortSignal;
}

/** Writes a tar archive. A folder's entries are named relative to it; links are kept as links. */
export async function createTar(archiving: Archiving): Promise<void> {
  const tar = pack();
  const target = createWriteStream(archiving.archive, { flags: "wx", mode: 0o600 });
  const writing = archiving.gzip
    ? pipeline(tar, createGzip(), target, { signal: archiving.signal })
    : pipeline(tar, target, { signal: archiving.signal });
  const filling = fill(tar, archiving).catch((error: unknown) => {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  });
  const [filled, written] = await Promise.allSettled([filling, writing]);
  if (filled.status === "rejected") throw filled.reason;
  if (written.status === "rejected") throw written.reason;
}

async function fill(tar: Pack, archiving: Archiving): Promise<void> {
  const total = { bytes: 0 };
  const stats = await lstat(archiving.source);
  if (stats.isDirectory()) await addFolder(tar, archiving, "", total);
  else await addEntry(tar, archiving.source, path.basename(archiving.source), stats, archiving, total);
  tar.finalize();
}

async function addFolder(
  tar: Pack,
  archiving: Archiving,
  inside: string,
  total: { bytes: number },
): Promise<void> {
  archiving.signal.throwIfAborted();
  const folder = path.join(archiving.source, inside);
  for (const name of (await readdir(folder)).sort()) {
    const at = path.join(folder, name);
    if (archiving.except.includes(at)) continue;
    await addEntry(tar, at, path.posix.join(inside, name), await lstat(at), archiving, total);
  }
}

async function addEntry(
  tar: Pack,
  at: string,
  name: string,
  stats: Stats,
  archiving: Archiving,
  total: { bytes: number },
): Promise<void> {
  if (archiving.ignores(stats.isDirectory() ? `${name}/` : name)) return;
  const common = { mode: stats.mode & 0o777, mtime: stats.mtime };
  if (stats.isDirectory()) {
    tar.entry({ ...common, name: `${name}/`, type: "directory" });
    await addFolder(tar, archiving, name, total);
  } else if (stats.isSymbolicLink()) {
    tar.entry({ ...common, name, type: "symlink", linkname: await readlink(at) });
  } else if (stats.isFile()) {
    total.bytes += stats.size;
    checkSizes(name, stats.size, total.bytes);
    const entry = tar.entry({ ...common, name, type: "file", size: stats.size });
    await pipeline(createReadStream(at, { end: Math.max(0, stats.size - 1) }), entry);
  }
}

function checkSizes(name: string, bytes: number, totalBytes: number): void {
  if (bytes > maxFileBytes) {
    throw new StepFailure("errored", `file "${name}" exceeds the maximum of ${maxFileBytes} bytes`);
  }
  if (totalBytes > maxArchiveBytes) {
    throw new StepFailure("errored", `the files together exceed the maximum of ${maxArchiveBytes} bytes`);
  }
}
