import { UserError } from "#core/failure.ts";
import { buildPromotion } from "#core/promotion/build.ts";
import type { FindTask } from "#core/promotion/inflate.ts";
import { type Freight, type FreightOrigin, originKey } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { audited } from "#core/stages/audited.ts";
import { findProjectConfig, isAutoPromotionEnabled, selectCandidates } from "#core/stages/auto-promotion.ts";
import { isFreightAvailable, listChoice } from "#core/stages/availability.ts";
import {
  type Combination,
  combinationCandidates,
  combinationFrom,
  followsCombination,
} from "#core/stages/combination.ts";
import { promotionCreated, windowOverridden } from "#core/stages/events.ts";
import { describeClosed, gatingSchedule } from "#core/stages/gating-windows.ts";
import { holdAnnotations } from "#core/stages/holds.ts";
import { isUser, keys, stageActor } from "#core/stages/keys.ts";
import type { Store, Write } from "#core/store/store.ts";
import { StoreError } from "#core/store/store-error.ts";

export interface PromotionRequest {
  project: string;
  stage: string;
  /**
   * Name of the freight. Give this, the origin to promote what auto-promotion would choose of it, or the stage whose
   * freight is to be promoted as one.
   */
  freight?: string;
  origin?: FreightOrigin;
  fromStage?: string;
  /** Who asks, as Kargo writes actors. */
  actor: string;
  /** Why it is to start although the stage's windows are closed. */
  windowOverride?: string;
}

export interface PromotionServices {
  store: Store;
  now(): Date;
}

/**
 * Makes the promotion that somebody asks for, with its event. Throws a UserError when the stage or the
 * freight does not exist, or the stage may not take it.
 */
export async function createPromotion(
  services: PromotionServices,
  request: PromotionRequest,
): Promise<Promotion> {
  const { store, now } = services;
  const { project, actor } = request;
  const stage = await getStage(store, project, request.stage);
  const combination = await chooseFreight(services, stage, request);
  const freight = combination.freight[0] as Freight;
  const annotations = {
    ...combination.annotations,
    ...(isUser(actor) ? await intentOf(services, stage, combination.freight) : {}),
    ...(await passWindows(services, stage, request.windowOverride)),
  };
  const findTask = taskFinder(store, project);
  const promotion = await buildPromotion(stage, freight.metadata.name, { findTask, actor, annotations });
  const message = `Promotion created for Stage "${request.stage}"${isUser(actor) ? ` by "${actor}"` : ""}`;
  const reason = annotations[keys.windowOverride];
  const [created] = await store.write([
    ...creation(promotion, freight, { message, actor, at: now() }),
    ...(reason === undefined
      ? []
      : audited(windowOverridden(promotion, freight, { reason, actor, at: now() }), { actor, why: reason })),
  ]);
  return created as Promotion;
}

/** The writes that bring a promotion into being when nobody but the stage's policy asked for it. */
export async function automaticPromotion(
  { store, now }: PromotionServices,
  stage: Stage,
  freight: Freight,
  { message, annotations }: { message: string; annotations?: Record<string, string> },
): Promise<Write[]> {
  const findTask = taskFinder(store, stage.metadata.namespace ?? "");
  const promotion = await buildPromotion(stage, freight.metadata.name, { findTask, annotations });
  return creation(promotion, freight, { message, actor: stageActor, at: now() });
}

function creation(
  promotion: Promotion,
  freight: Freight,
  told: { message: string; actor: string; at: Date },
): Write[] {
  return [
    { op: "create", resource: promotion as Resource },
    { op: "event", event: promotionCreated(promotion, freight, told) },
  ];
}

/**
 * Lets a promotion through the stage's windows: the annotations that it needs for it. Throws a UserError when they are
 * closed and there is no reason to override them.
 */
async function passWindows(
  { store, now }: PromotionServices,
  stage: Stage,
  override: string | undefined,
): Promise<Record<string, string>> {
  const schedule = await gatingSchedule(store, stage, await findProjectConfig(store, stage), now());
  if (schedule?.closed !== true) return {};
  if (override) return { [keys.windowOverride]: override };
  throw new UserError(`Cannot promote to Stage "${stage.metadata.name}" now: ${describeClosed(schedule)}`, {
    status: 403,
    hint: 'Where it cannot wait, override the windows with `--override-window "why"`; the reason is recorded',
  });
}

async function chooseFreight(
  { store, now }: PromotionServices,
  stage: Stage,
  { project, freight: name, origin, fromStage }: PromotionRequest,
): Promise<Combination> {
  if ([name, origin, fromStage].filter((one) => one !== undefined).length !== 1) {
    throw new UserError("Cannot promote: exactly one of freight, origin and fromStage must be given");
  }
  if (fromStage !== undefined) {
    return await combinationFrom(store, stage, await getStage(store, project, fromStage), now());
  }
  if (origin !== undefined) {
    const key = originKey(origin);
    const candidate = selectCandidates(stage, await listChoice(store, stage, now())).get(key);
    if (candidate !== undefined) return single(candidate);
    throw new UserError(
      `Cannot promote by origin: no auto-promotion candidate found for origin "${key}" on Stage "${stage.metadata.name}"`,
      { status: 422, hint: "Look with `towpath get freight` at what is there, and where it was verified" },
    );
  }
  const freight = (await store.get({ kind: "Freight", project, name: name ?? "" })) as Freight | undefined;
  if (freight === undefined) {
    throw new UserError(`Freight "${name}" not found in project "${project}"`, { status: 404 });
  }
  if (isFreightAvailable(stage, freight, now())) return single(freight);
  throw new UserError(`Freight "${name}" is not available to Stage "${stage.metadata.name}"`, {
    hint: "It must be verified upstream first, or approved for the stage",
  });
}

function single(freight: Freight): Combination {
  return { freight: [freight], annotations: {} };
}

/**
 * What a person's choice means for auto-promotion; nothing where there is none. Policies that cannot be read
 * must not keep people from promoting, so they mean nothing either.
 */
async function intentOf(
  { store, now }: PromotionServices,
  stage: Stage,
  freight: readonly Freight[],
): Promise<Record<string, string>> {
  try {
    if (!(await isAutoPromotionEnabled(store, stage))) return {};
    const candidates = followsCombination(stage)
      ? await combinationCandidates(store, stage, now())
      : selectCandidates(stage, await listChoice(store, stage, now()));
    return holdAnnotations(freight, candidates);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    return {};
  }
}

export async function getStage(store: Store, project: string, name: string): Promise<Stage> {
  const stage = await store.get({ kind: "Stage", project, name });
  if (stage !== undefined) return stage as Stage;
  throw new UserError(`Stage "${name}" not found in project "${project}"`, { status: 404 });
}

/** Finds tasks where the project's promotions find them. */
export function taskFinder(store: Store, project: string): FindTask {
  return async (kind, name) => {
    const ref = kind === "ClusterPromotionTask" ? { kind, name } : { kind, project, name };
    return (await store.get(ref))?.spec as Awaited<ReturnType<FindTask>>;
  };
}
