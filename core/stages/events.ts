import { eventPrefix, freightAnnotations } from "#core/promotion/events.ts";
import type { Freight, VerificationInfo } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { refOf } from "#core/resources/resource.ts";
import { stageActor } from "#core/stages/keys.ts";
import type { EventRecord } from "#core/store/store.ts";

/** Tells that a promotion was created. */
export function promotionCreated(
  promotion: Promotion,
  freight: Freight,
  { message, actor, at }: { message: string; actor: string; at: Date },
): EventRecord {
  return {
    at: at.toISOString(),
    project: promotion.metadata.namespace,
    type: "Normal",
    reason: "PromotionCreated",
    message,
    regarding: refOf(promotion),
    annotations: {
      ...freightAnnotations(freight),
      [`${eventPrefix}project`]: promotion.metadata.namespace ?? "",
      [`${eventPrefix}actor`]: actor,
      [`${eventPrefix}promotion-name`]: promotion.metadata.name,
      [`${eventPrefix}stage-name`]: promotion.spec.stage,
    },
  };
}

/** Tells that somebody promotes although the stage's windows are closed. */
export function windowOverridden(
  promotion: Promotion,
  freight: Freight,
  { reason, actor, at }: { reason: string; actor: string; at: Date },
): EventRecord {
  const message = `Promotion windows of Stage "${promotion.spec.stage}" overridden by "${actor}": ${reason}`;
  return {
    ...promotionCreated(promotion, freight, { message, actor, at }),
    reason: "PromotionWindowOverridden",
  };
}

const verificationReasons = {
  Successful: "FreightVerificationSucceeded",
  Failed: "FreightVerificationFailed",
  Error: "FreightVerificationErrored",
  Aborted: "FreightVerificationAborted",
  Inconclusive: "FreightVerificationInconclusive",
} as const;

/** Tells how the verification of a piece of freight in a stage ended. */
export function freightVerified(
  freight: Freight,
  stage: string,
  verification: VerificationInfo,
  { at, promotion }: { at: Date; promotion?: string },
): EventRecord {
  const { phase = "Pending", actor, startTime, finishTime, analysisRun, message } = verification;
  const reasons: Partial<Record<string, string>> = verificationReasons;
  const isGood = phase === "Successful";
  const annotations: Record<string, string | undefined> = {
    project: freight.metadata.namespace,
    actor: actor || stageActor,
    "stage-name": stage,
    "verification-start-time": startTime,
    "verification-finish-time": finishTime,
    "analysis-run-name": analysisRun?.name,
    "promotion-name": promotion,
  };
  return {
    at: at.toISOString(),
    project: freight.metadata.namespace,
    type: phase === "Failed" || phase === "Error" ? "Warning" : "Normal",
    reason: reasons[phase] ?? "FreightVerificationUnknown",
    message: isGood ? "Freight verification succeeded" : (message ?? ""),
    regarding: { ...refOf(freight), uid: freight.metadata.uid },
    annotations: {
      ...freightAnnotations(freight),
      ...Object.fromEntries(
        Object.entries(annotations)
          .filter((entry): entry is [string, string] => entry[1] !== undefined)
          .map(([name, value]) => [eventPrefix + name, value]),
      ),
    },
  };
}

/** Tells that somebody approved freight for a stage. */
export function freightApproved(freight: Freight, stage: string, actor: string, at: Date): EventRecord {
  return {
    at: at.toISOString(),
    project: freight.metadata.namespace,
    type: "Normal",
    reason: "FreightApproved",
    message: `Freight approved for Stage "${stage}" by "${actor}"`,
    regarding: { ...refOf(freight), uid: freight.metadata.uid },
    annotations: {
      ...freightAnnotations(freight),
      [`${eventPrefix}project`]: freight.metadata.namespace ?? "",
      [`${eventPrefix}actor`]: actor,
      [`${eventPrefix}stage-name`]: stage,
    },
  };
}
