import { randomUUID } from "node:crypto";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";

/**
 * Puts a file where `at` says as a whole: `make` fills a file beside it, which is then renamed. What was
 * there is replaced and not written into, so other names of it (hard links) keep their content.
 */
export async function placeFile(at: string, make: (beside: string) => Promise<void>): Promise<void> {
  const folder = path.dirname(at);
  const beside = path.join(folder, `.towpath-${randomUUID()}`);
  await mkdir(folder, { recursive: true });
  try {
    await make(beside);
    await rename(beside, at);
  } catch (error) {
    await rm(beside, { force: true });
    throw error;
  }
}
