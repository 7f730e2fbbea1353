import type Docker from "dockerode";
import type { Container, ContainerCreateOptions } from "dockerode";
import type { Invocation } from "#core/runner.ts";
import { engineFailure, isNotFound } from "#runners/container/engine.ts";

/** Labels by which a container is found again, and by which it says whose it is. */
export const labels = {
  managed: "dev.towpath.managed",
  project: "dev.towpath.project",
  promotion: "dev.towpath.promotion",
  promotionUid: "dev.towpath.promotion-uid",
  step: "dev.towpath.step",
  attempt: "dev.towpath.attempt",
} as const;

export function labelsOf(invocation: Invocation): Record<string, string> {
  return {
    [labels.managed]: "true",
    [labels.project]: invocation.project,
    [labels.promotion]: invocation.promotion,
    [labels.promotionUid]: invocation.promotionUid,
    [labels.step]: invocation.alias,
    [labels.attempt]: String(invocation.attempt),
  };
}

/** The container of an invocation, running or ended, whichever daemon started it. */
export async function findContainer(docker: Docker, invocation: Invocation): Promise<Container | undefined> {
  const wanted = labelsOf(invocation);
  const label = [labels.promotionUid, labels.step, labels.attempt].map((name) => `${name}=${wanted[name]}`);
  try {
    const [found] = await docker.listContainers({ all: true, filters: { label } });
    return found ? docker.getContainer(found.Id) : undefined;
  } catch (error) {
    throw engineFailure("look for the step's container", error);
  }
}

export async function createContainer(docker: Docker, options: ContainerCreateOptions): Promise<Container> {
  try {
    return await docker.createContainer(options);
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

/** Removes containers of promotions that are not among those that go on. Returns how many there were. */
export async function removeOrphans(
  docker: Docker,
  goesOn: (promotionUid: string) => boolean,
): Promise<number> {
  const found = await docker.listContainers({ all: true, filters: { label: [`${labels.managed}=true`] } });
  const orphans = found.filter(({ Labels }) => !goesOn(Labels[labels.promotionUid] ?? ""));
  await Promise.all(orphans.map(({ Id }) => removeContainer(docker.getContainer(Id))));
  return orphans.length;
}
