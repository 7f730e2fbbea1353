import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A git that survived the daemon's end is done with its locks by then: they are held for the blink of a rename. */
const staleAfterMilliseconds = 3_000;
const pauseMilliseconds = 250;

/**
 * Removes the lock files that killed gits left in a repository. The caller makes sure that no other git is
 * started in it; one that outlived a killed daemon is waited for.
 */
export async function removeStaleLocks(folder: string): Promise<void> {
  for (const lock of await findLocks(folder)) {
    for (let age = await ageOf(lock); age !== undefined; age = await ageOf(lock)) {
      if (age >= staleAfterMilliseconds) {
        await rm(lock, { force: true });
        break;
      }
      await sleep(pauseMilliseconds);
    }
  }
}

async function findLocks(folder: string): Promise<string[]> {
  const locks: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    // Packs and loose objects are written under names of their own, and there may be very many.
    if (entry.isDirectory() && entry.name !== "objects") locks.push(...(await findLocks(at)));
    else if (entry.isFile() && entry.name.endsWith(".lock")) locks.push(at);
  }
  return locks;
}

async function ageOf(file: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(file)).mtimeMs;
  } catch {
    return undefined;
  }
}
