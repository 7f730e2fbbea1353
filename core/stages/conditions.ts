import type { Condition } from "#core/resources/condition.ts";
import { toTime } from "#core/stages/times.ts";

interface WithConditions {
  conditions?: Condition[];
}

/** Kubernetes allows no longer ones. */
const longestMessage = 32_768;

export function getCondition(status: WithConditions, type: string): Condition | undefined {
  return status.conditions?.find((condition) => condition.type === type);
}

/** Sets the one condition of this type. It keeps its time of transition as long as its status is the same. */
export function setCondition(
  status: WithConditions,
  condition: Omit<Condition, "lastTransitionTime">,
  now: Date,
): void {
  const existing = getCondition(status, condition.type);
  const isTransition = existing?.status !== condition.status;
  const next: Condition = {
    ...condition,
    message: condition.message?.slice(0, longestMessage) ?? "",
    lastTransitionTime: (isTransition ? undefined : existing.lastTransitionTime) ?? toTime(now),
  };
  status.conditions = existing
    ? status.conditions?.map((one) => (one === existing ? next : one))
    : [...(status.conditions ?? []), next];
}

export function deleteCondition(status: WithConditions, type: string): void {
  status.conditions = status.conditions?.filter((condition) => condition.type !== type);
}
