import { lstat, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Container } from "dockerode";
import { StepFailure } from "#core/failure.ts";

/** What a step may write to disk where the operator says nothing else. */
export const defaultDiskBytes = 10 * 2 ** 30;

const checkEveryMs = 1000;

export interface DiskBounds {
  /** Folders of the machine in which the step can write, on one file system. */
  folders: readonly string[];
  container: Container;
  /** Of what is added to the folders, and of what the container's own layer has. */
  limitBytes: number;
  /** What the file system held before the step was started, as `usedBytes` tells. */
  usedBefore: number;
  signal: AbortSignal;
}

/**
 * Watches what a step writes, since a folder that is mounted knows no quota. Rejects with a StepFailure once it is too
 * much, and does not settle otherwise. How full the file system is tells cheaply that nothing can have
 * happened: folders are gone through only when it has grown by as much as the step has left.
 */
export async function watchDisk(bounds: DiskBounds): Promise<never> {
  const { folders, container, limitBytes, usedBefore, signal } = bounds;
  try {
    const [first = "."] = folders;
    const found = await sizeOf(folders);
    let used = await usedBytes(first);
    // The step may have written much by now: what the file system has got since is taken for the step's.
    const atStart = Math.max(0, found - Math.max(0, used - usedBefore));
    let added = found - atStart;
    for (;;) {
      await sleep(checkEveryMs, undefined, { signal });
      const grown = (await usedBytes(first)) - used;
      if (added + grown > limitBytes) {
        used += grown;
        added = (await sizeOf(folders)) - atStart;
      }
      signal.throwIfAborted();
      if (added > limitBytes) throw tooMuch("its workspace", added, limitBytes);
      const layer = await layerBytes(container);
      if (layer > limitBytes) throw tooMuch("its container", layer, limitBytes);
    }
  } catch (error) {
    if (error instanceof StepFailure) throw error;
  }
  // Trouble with watching is not the step's.
  return new Promise(() => undefined);
}

function tooMuch(where: string, bytes: number, limit: number): StepFailure {
  return new StepFailure(
    "refused",
    `The step was ended: it wrote ${megabytes(bytes)} into ${where}, more than the ${megabytes(limit)} ` +
      "that TOWPATH_CONTAINER_DISK, which the operator sets, allows",
  );
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

/** Of the file system that a path is on. */
export async function usedBytes(path: string): Promise<number> {
  const { blocks, bfree, bsize } = await statfs(path);
  return (blocks - bfree) * bsize;
}

/** What the container wrote beside its mounts. */
async function layerBytes(container: Container): Promise<number> {
  const { SizeRw = 0 } = await (container.inspect({ size: true } as never) as unknown as Promise<{
    SizeRw?: number;
  }>);
  return SizeRw;
}

/** On disk, without following links; what cannot be read, or goes meanwhile, counts nothing. */
async function sizeOf(folders: readonly string[]): Promise<number> {
  let bytes = 0;
  const left = [...folders];
  for (let folder = left.pop(); folder !== undefined; folder = left.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) left.push(path);
      bytes += ((await lstat(path).catch(() => undefined))?.blocks ?? 0) * 512;
    }
  }
  return bytes;
}
