import { type Freight, originKey } from "#core/resources/freight.ts";
import type { ProjectConfig, PromotionPolicy } from "#core/resources/project-config.ts";
import type { Stage } from "#core/resources/stage.ts";
import { followsUpstream } from "#core/stages/availability.ts";
import { isSelected } from "#core/stages/selector.ts";
import type { Store } from "#core/store/store.ts";

/** The first of the project's policies that is for the stage. Throws when a pattern cannot be read. */
export function findPolicy(config: ProjectConfig | undefined, stage: Stage): PromotionPolicy | undefined {
  return config?.spec?.promotionPolicies?.find((policy) => isFor(policy, stage));
}

/** The settings of the stage's project. */
export async function findProjectConfig(
  store: Pick<Store, "get">,
  { metadata }: Stage,
): Promise<ProjectConfig | undefined> {
  const { namespace: project = "" } = metadata;
  return (await store.get({ kind: "ProjectConfig", project, name: project })) as ProjectConfig | undefined;
}

/** Whether the project's settings let freight into the stage without anybody asking. */
export async function isAutoPromotionEnabled(store: Store, stage: Stage): Promise<boolean> {
  return findPolicy(await findProjectConfig(store, stage), stage)?.autoPromotionEnabled === true;
}

/**
 * For each origin what auto-promotion would choose of the available freight, which is given in the order of
 * its creation: the newest. Of what was found in the same second that is what was made last. A request that
 * follows its upstream stage has no candidate while that seems to hold two, which is so for a moment
 * during its own promotion.
 */
export function selectCandidates(stage: Stage, available: readonly Freight[]): Map<string, Freight> {
  const candidates = new Map<string, Freight>();
  for (const request of stage.spec.requestedFreight) {
    const origin = originKey(request.origin);
    const choice = available.filter((freight) => originKey(freight.origin) === origin).reverse();
    choice.sort((a, b) => discoveredAt(b) - discoveredAt(a));
    const [newest] = choice;
    if (newest === undefined || (followsUpstream(request) && choice.length > 1)) continue;
    candidates.set(origin, newest);
  }
  return candidates;
}

function isFor(
  { stage: stageName = "", stageSelector = { name: stageName } }: PromotionPolicy,
  stage: Stage,
): boolean {
  return isSelected(stageSelector, stage.metadata);
}

function discoveredAt({ discoveredAt: at, metadata }: Freight): number {
  return Date.parse(at ?? metadata.creationTimestamp ?? "") || 0;
}
