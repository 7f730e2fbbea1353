import { isFinished } from "#core/promotion/final-phase.ts";
import type { Condition } from "#core/resources/condition.ts";
import type { FreightCollection } from "#core/resources/freight.ts";
import type { Stage, StageStatus } from "#core/resources/stage.ts";
import { deleteCondition, getCondition, setCondition } from "#core/stages/conditions.ts";

type Told = Pick<Condition, "status" | "reason" | "message">;

/** Says what the other conditions come to: whether the stage is ready, and why it is not. */
export function summarize(stage: Stage & { status: StageStatus }, now: Date): void {
  const { status, metadata, spec } = stage;
  status.freightSummary = freightSummary(spec.requestedFreight.length, status.freightHistory?.[0]);
  const ready = readiness(status);
  setCondition(status, { type: "Ready", ...ready, observedGeneration: metadata.generation }, now);
  if (ready.status === "True") status.observedGeneration = metadata.generation;
}

/** The stage's reconcile failed, and will be tried again. */
export function summarizeFailure(stage: Stage & { status: StageStatus }, error: unknown, now: Date): void {
  const { status, metadata } = stage;
  const message = error instanceof Error ? error.message : String(error);
  const observedGeneration = metadata.generation;
  setCondition(
    status,
    { type: "Ready", status: "False", reason: "ReconcileError", message, observedGeneration },
    now,
  );
  setCondition(
    status,
    { type: "Reconciling", status: "True", reason: "RetryAfterError", observedGeneration },
    now,
  );
}

/** Says whether there is more to be done at once. */
export function setReconciling(
  stage: Stage & { status: StageStatus },
  isReconciling: boolean,
  now: Date,
): void {
  const { status, metadata } = stage;
  if (!isReconciling) {
    deleteCondition(status, "Reconciling");
    return;
  }
  const condition = { type: "Reconciling", status: "True", reason: "Reconciling" } as const;
  setCondition(status, { ...condition, observedGeneration: metadata.generation }, now);
}

function readiness(status: StageStatus): Told {
  const promoting = getCondition(status, "Promoting");
  if (promoting !== undefined) return { ...told(promoting), status: "False" };
  const { lastPromotion } = status;
  const phase = lastPromotion?.status?.phase;
  if (isFinished(phase) && phase !== "Succeeded") {
    return { status: "False", reason: `LastPromotion${phase}`, message: lastPromotion?.status?.message };
  }
  for (const [type, reason, message] of [
    ["Healthy", "Unhealthy", "Stage is not healthy"],
    ["Verified", "PendingVerification", "Stage is not verified"],
  ] as const) {
    const condition = getCondition(status, type);
    if (condition === undefined) return { status: "False", reason, message };
    if (condition.status !== "True") return { ...told(condition), status: "False" };
  }
  return { ...told(getCondition(status, "Verified") as Condition), status: "True" };
}

function told({ status, reason, message }: Condition): Told {
  return { status, reason, message };
}

function freightSummary(requested: number, held: FreightCollection | undefined): string {
  const items = Object.values(held?.items ?? {});
  const [only] = items;
  if (requested === 1 && items.length === 1 && only !== undefined) return only.name;
  return `${items.length}/${requested} Fulfilled`;
}
