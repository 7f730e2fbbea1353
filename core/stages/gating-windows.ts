import { clusterConfigName } from "#core/resources/admission.ts";
import type { ClusterConfig } from "#core/resources/cluster-config.ts";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import type { PromotionWindow } from "#core/resources/promotion-window.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage, StageStatus } from "#core/resources/stage.ts";
import { isSelected } from "#core/stages/selector.ts";
import { toTime } from "#core/stages/times.ts";
import type { Store } from "#core/store/store.ts";
import { type Schedule, scheduleAt } from "#core/windows/schedule.ts";

/**
 * When promotions to the stage may start, by the windows of its project and of the installation; undefined where
 * none is for it. Where a window cannot be read, it is closed: it may be there to keep promotions out.
 */
export async function gatingSchedule(
  store: Pick<Store, "get">,
  stage: Stage,
  config: ProjectConfig | undefined,
  now: Date,
): Promise<Schedule | undefined> {
  const cluster = (await store.get({ kind: "ClusterConfig", name: clusterConfigName })) as
    | ClusterConfig
    | undefined;
  const shared = cluster?.spec?.promotionWindows ?? [];
  const own = config?.spec?.promotionWindows ?? [];
  if (shared.length + own.length === 0) return undefined;
  const project = await findProject(store, stage, shared);
  try {
    const isForProject = ({ projectSelector }: PromotionWindow) =>
      projectSelector === undefined || isSelected(projectSelector, project.metadata);
    const windows = [...shared.filter(isForProject), ...own].filter(
      ({ stageSelector }) => stageSelector === undefined || isSelected(stageSelector, stage.metadata),
    );
    return windows.length === 0 ? undefined : scheduleAt(windows, now);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { closed: true, reason: `a promotion window cannot be read: ${why}` };
  }
}

/** Selectors look at the project's name and labels; mostly nobody asks. */
async function findProject(
  store: Pick<Store, "get">,
  { metadata }: Stage,
  windows: readonly PromotionWindow[],
): Promise<Pick<Resource, "metadata">> {
  const { namespace: name = "" } = metadata;
  const isAsked = windows.some(({ projectSelector }) => projectSelector !== undefined);
  return (isAsked ? await store.get({ kind: "Project", name }) : undefined) ?? { metadata: { name } };
}

/** The schedule as a stage's status tells it. */
export function windowStatus({
  nextOpen,
  nextClose,
  ...told
}: Schedule): StageStatus["promotionWindowStatus"] {
  return {
    ...told,
    ...(nextOpen === undefined ? {} : { nextOpen: toTime(nextOpen) }),
    ...(nextClose === undefined ? {} : { nextClose: toTime(nextClose) }),
  };
}

/** `it is closed: …; it opens at …`, for who wanted to promote. */
export function describeClosed({ reason, nextOpen }: Schedule): string {
  return nextOpen === undefined ? `${reason}` : `${reason}, until ${toTime(nextOpen)}`;
}
