import { isFinished } from "#core/promotion/final-phase.ts";
import { referencesOf } from "#core/promotion/freight-collection.ts";
import { type Freight, type FreightReference, originKey } from "#core/resources/freight.ts";
import type { PromotionPolicy } from "#core/resources/project-config.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { StageStatus } from "#core/resources/stage.ts";
import { selectCandidates } from "#core/stages/auto-promotion.ts";
import { isFreightAvailable, listChoice } from "#core/stages/availability.ts";
import { automaticPromotion, type PromotionServices } from "#core/stages/create-promotion.ts";
import { holdAnnotations } from "#core/stages/holds.ts";
import { keys } from "#core/stages/keys.ts";
import type { StagePass } from "#core/stages/pass.ts";
import { standsStill } from "#core/stages/standstill.ts";
import type { StagePromotions } from "#core/stages/sync-promotions.ts";
import { abortedMessage } from "#core/stages/verification/phases.ts";

/** Older failures call for nothing: what was left alone for this long is as somebody wants it. */
const longestFailureMilliseconds = 20 * 60_000;

type RollbackRules = NonNullable<PromotionPolicy["autoRollback"]>;

/** What went wrong, and which freight the stage has to do without. */
interface Failure {
  at: string;
  freight: FreightReference[];
}

/** Remembers what was verified last of each origin, for the stage to come back to. */
export function rememberStable({ stage, policy }: StagePass): void {
  const { status } = stage;
  const [held] = status.freightHistory ?? [];
  const isGood =
    held?.verificationHistory?.[0]?.phase === "Successful" && status.health?.status === "Healthy";
  if (policy?.autoRollback === undefined || !isGood) return;
  const names = referencesOf(held).map(({ name, origin }) => [originKey(origin), name]);
  const stableFreight = { ...stableOf(status), ...Object.fromEntries(names) };
  status.metadata = { ...status.metadata, stableFreight };
}

/**
 * Promotes the freight that was verified last when a promotion or a verification failed, once nothing is
 * queued that might mend it. Of several origins one is taken back at a time, in the order in which they came.
 * Returns true when it did.
 */
export async function rollBack(
  pass: StagePass,
  services: PromotionServices,
  { active }: StagePromotions,
): Promise<boolean> {
  const { stage, policy, now } = pass;
  if (policy?.autoRollback === undefined || active.length > 0 || standsStill(pass)) return false;
  const failure = failureOf(stage.status, policy.autoRollback);
  if (failure === undefined || now.getTime() - Date.parse(failure.at) > longestFailureMilliseconds)
    return false;
  const stable = stableOf(stage.status);
  for (const { name, origin } of failure.freight) {
    const wanted = stable[originKey(origin)];
    if (wanted === undefined || wanted === name) continue;
    const freight = await pass.freight.find(wanted);
    if (freight === undefined || !isFreightAvailable(stage, freight, now)) continue;
    if (await hasTried(pass, services, wanted, failure.at)) continue;
    pass.writes.push(...(await rollback(pass, services, freight)));
    return true;
  }
  return false;
}

function failureOf(status: StageStatus, rules: RollbackRules): Failure | undefined {
  const { lastPromotion, freightHistory = [] } = status;
  const onPromotion: readonly string[] = rules.onPromotion ?? [];
  const phase = lastPromotion?.status?.phase;
  if (phase !== undefined && onPromotion.includes(phase) && lastPromotion?.freight !== undefined) {
    return { at: lastPromotion.finishedAt ?? "", freight: [lastPromotion.freight] };
  }
  const onVerification: readonly string[] = rules.onVerification?.length ? rules.onVerification : ["Failed"];
  const [latest] = freightHistory[0]?.verificationHistory ?? [];
  if (latest?.phase === undefined || latest.message === abortedMessage) return undefined;
  if (!onVerification.includes(latest.phase)) return undefined;
  return { at: latest.finishTime ?? "", freight: inOrderOfArrival(freightHistory) };
}

/** What the stage holds, that which has been there longest first. */
function inOrderOfArrival(history: NonNullable<StageStatus["freightHistory"]>): FreightReference[] {
  const stay = ({ name, origin }: FreightReference) => {
    const gone = history.findIndex(({ items }) => items?.[originKey(origin)]?.name !== name);
    return gone === -1 ? history.length : gone;
  };
  return referencesOf(history[0]).sort((a, b) => stay(b) - stay(a));
}

/** A rollback that did not work would not work again. */
async function hasTried(
  { stage }: StagePass,
  { store }: PromotionServices,
  freight: string,
  since: string,
): Promise<boolean> {
  const { namespace: project, name } = stage.metadata;
  const where = { "spec.stage": [name], "spec.freight": [freight] };
  const promotions = (await store.list({ kind: "Promotion", project, where })) as Promotion[];
  return promotions.some(
    ({ metadata, status }) =>
      metadata.annotations?.[keys.rollback] === "true" &&
      isFinished(status?.phase) &&
      status?.phase !== "Succeeded" &&
      // Both are whole seconds, and the rollback follows the failure at once.
      Date.parse(status?.finishedAt ?? "") >= Math.floor(Date.parse(since) / 1000) * 1000,
  );
}

async function rollback(pass: StagePass, services: PromotionServices, freight: Freight) {
  const { stage, autoPromotionEnabled, now } = pass;
  const candidates = autoPromotionEnabled
    ? selectCandidates(stage, await listChoice(services.store, stage, now))
    : undefined;
  return automaticPromotion(services, stage, freight, {
    message: `Rolled back Stage "${stage.metadata.name}" to Freight "${freight.metadata.name}", which was verified last`,
    annotations: {
      [keys.rollback]: "true",
      ...(candidates === undefined ? {} : holdAnnotations([freight], candidates)),
    },
  });
}

function stableOf({ metadata }: StageStatus): Record<string, string> {
  const stable = metadata?.stableFreight;
  return typeof stable === "object" && stable !== null ? (stable as Record<string, string>) : {};
}
