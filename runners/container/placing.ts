import { createHash } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ContainerCreateOptions } from "dockerode";
import { StepFailure } from "#core/failure.ts";
import type { Invocation } from "#core/runner.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import { defaultUser } from "#runners/container/workspace-owner.ts";

type Say = (text: string) => void;

/** Sees to the image, with the credentials that the spec and the project have for it. */
export function ensureImage(
  { images, pullCredentials }: Pick<ContainerServices, "images" | "pullCredentials">,
  { image, platform, pullSecrets }: Pick<ContainerSpec, "image" | "platform" | "pullSecrets">,
  project: string,
  say: Say,
): Promise<void> {
  return images.ensure({
    image,
    platform,
    credentials: () =>
      pullCredentials.find(project, image, pullSecrets, (name) =>
        say(`there is no Secret "${name}" to pull the image with`),
      ),
    onProgress: say,
  });
}

/** Where everything of a container lies on the machine, but for its name, labels and output. */
export function placeOf({ cacheRoot }: ContainerServices, { workspace, project }: Invocation) {
  const { uid, gid } = defaultUser();
  return { workspace, cacheFolder: join(cacheRoot, project), user: `${uid}:${gid}` };
}

/** The same for the same options: tells whether a container is what somebody wants. */
export function digestOf(options: ContainerCreateOptions): string {
  return createHash("sha256").update(JSON.stringify(options)).digest("hex");
}

/** Makes the folders of a project's caches that the spec names. */
export async function makeCaches({ caches }: ContainerSpec, cacheFolder: string): Promise<void> {
  for (const { name } of caches) await makeCache(cacheFolder, name);
}

/** Any user of the container may write there; on the machine, the folder around it is the daemon's alone. */
async function makeCache(folder: string, name: string): Promise<void> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new StepFailure(
      "config",
      `Cannot make cache "${name}": its name may have letters, digits, "-", "_" and "." only`,
    );
  }
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await mkdir(join(folder, name), { recursive: true });
  await chmod(join(folder, name), 0o777);
}
