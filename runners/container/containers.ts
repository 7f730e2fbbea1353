import { createHash } from "node:crypto";
import type Docker from "dockerode";
import type { Container, ContainerCreateOptions, ContainerInfo } from "dockerode";
import type { Invocation } from "#core/runner.ts";
import { engineFailure, isAbsent, isNotFound } from "#runners/container/engine.ts";

/** Labels by which a container is found again, and by which it says whose it is. */
export const labels = {
  managed: "dev.towpath.managed",
  owner: "dev.towpath.owner",
  project: "dev.towpath.project",
  promotion: "dev.towpath.promotion",
  promotionUid: "dev.towpath.promotion-uid",
  step: "dev.towpath.step",
  attempt: "dev.towpath.attempt",
} as const;

/** `owner` is a folder that one daemon alone has: several daemons may share an engine. */
export function labelsOf(invocation: Invocation, owner: string): Record<string, string> {
  return { ...sharedLabels(invocation, owner), ...keyOf(invocation) };
}

/** Labels of a container that is no single step's own. */
export function sharedLabels(
  { project, promotion, promotionUid }: Invocation,
  owner: string,
): Record<string, string> {
  return {
    [labels.managed]: "true",
    [labels.owner]: owner,
    [labels.project]: project,
    [labels.promotion]: promotion,
    [labels.promotionUid]: promotionUid,
  };
}

/** The name of a promotion's container; `parts` tell it apart, whatever characters they have. */
export function containerName(promotionUid: string, ...parts: readonly unknown[]): string {
  const rest = createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 16);
  return `towpath-${promotionUid}-${rest}`;
}

function keyOf(invocation: Invocation): Record<string, string> {
  return {
    [labels.promotionUid]: invocation.promotionUid,
    [labels.step]: invocation.alias,
    [labels.attempt]: String(invocation.attempt),
  };
}

/** The container of an invocation, running or ended, whichever daemon started it. */
export async function findContainer(docker: Docker, invocation: Invocation): Promise<Container | undefined> {
  const label = Object.entries(keyOf(invocation)).map(([name, value]) => `${name}=${value}`);
  try {
    const [found] = await docker.listContainers({ all: true, filters: { label } });
    return found ? docker.getContainer(found.Id) : undefined;
  } catch (error) {
    throw engineFailure("look for the step's container", error);
  }
}

/**
 * Creates a container. One of the same name was left by an earlier daemon, which had not come to start it or
 * had lost it: it is removed. `onNoImage` sees to the image when the engine says that it has none.
 */
export async function createContainer(
  docker: Docker,
  options: ContainerCreateOptions,
  onNoImage: () => Promise<void>,
): Promise<Container> {
  const create = () => docker.createContainer(options);
  try {
    return await create().catch(async (error) => {
      if (isNotFound(error)) await onNoImage();
      else if ((error as { statusCode?: number }).statusCode !== 409) throw error;
      else await removeContainer(docker.getContainer(options.name ?? ""));
      return create();
    });
  } catch (error) {
    throw engineFailure(`create a container of image "${options.Image}"`, error);
  }
}

/** Removes a container whether it runs or not; one that is gone is fine. */
export async function removeContainer(container: Container): Promise<void> {
  try {
    await container.remove({ force: true, v: true });
  } catch (error) {
    const { statusCode } = error as { statusCode?: number };
    // 409: somebody else is removing it already.
    if (!isNotFound(error) && statusCode !== 409) throw engineFailure("remove the step's container", error);
  }
}

/** Removes all containers of a promotion, running or not. An engine that does not answer has none to remove. */
export async function removeContainersOf(docker: Docker, promotionUid: string): Promise<void> {
  const label = [`${labels.promotionUid}=${promotionUid}`];
  const found = await listContainers(docker, label);
  await Promise.all(found.map(({ Id }) => removeContainer(docker.getContainer(Id))));
}

async function listContainers(docker: Docker, label: string[]): Promise<ContainerInfo[]> {
  return docker.listContainers({ all: true, filters: { label } }).catch((error) => {
    if (isAbsent(error)) return [];
    throw engineFailure("look for containers that were left behind", error);
  });
}

/**
 * Removes an owner's containers whose promotion does not go on; `goingOn` gives the uids of those that do,
 * and is asked only when there is a container. Returns how many there were. An engine that does not answer
 * has none to remove.
 */
export async function removeOrphans(
  docker: Docker,
  owner: string,
  goingOn: () => Promise<ReadonlySet<string>>,
): Promise<number> {
  const found = await listContainers(docker, [`${labels.managed}=true`, `${labels.owner}=${owner}`]);
  if (found.length === 0) return 0;
  const kept = await goingOn();
  const orphans = found.filter(({ Labels }) => !kept.has(Labels[labels.promotionUid] ?? ""));
  await Promise.all(orphans.map(({ Id }) => removeContainer(docker.getContainer(Id))));
  return orphans.length;
}
