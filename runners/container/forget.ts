import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerServices } from "#runners/container/container-services.ts";

/** Removes what a promotion, or another owner, has of containers and of their output. Done again, it does no more. */
export async function forgetContainers(
  { pool, outputRoot }: Pick<ContainerServices, "pool" | "outputRoot">,
  uid: string,
): Promise<void> {
  const folder = join(outputRoot, uid);
  // Made before the first container: without it there is nothing to ask the engine about.
  if (!existsSync(folder)) return;
  await pool.release(uid);
  await rm(folder, { recursive: true, force: true });
}
