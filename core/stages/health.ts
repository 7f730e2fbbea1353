import type { HealthCheckStep } from "#core/resources/promotion.ts";
import type { Health, HealthState, StageStatus } from "#core/resources/stage.ts";
import { getCondition, setCondition } from "#core/stages/conditions.ts";
import { worstHealth } from "#core/stages/health-states.ts";
import type { HealthChecker, StagePass } from "#core/stages/pass.ts";

/**
 * Judges the stage by the health checks of its last promotion. A stage without any is healthy as soon as
 * freight was promoted to it.
 */
export async function assessHealth(
  pass: StagePass,
  checkers: Readonly<Record<string, HealthChecker>>,
  signal: AbortSignal,
): Promise<void> {
  const { status, metadata } = pass.stage;
  if (status.currentPromotion !== undefined) {
    const issue = "Cannot assess health because a Promotion is currently in progress";
    setHealth(
      pass,
      { status: "Unknown", issues: [issue] },
      "ActivePromotion",
      "Stage has a Promotion in progress",
    );
    return;
  }
  const last = status.lastPromotion;
  if (last === undefined) {
    setHealth(pass, undefined, "NoFreight", "Stage has no current Freight");
    return;
  }
  if (last.status?.phase !== "Succeeded") {
    const issue = "Cannot assess health because last Promotion did not succeed";
    setHealth(pass, { status: "Unknown", issues: [issue] }, `LastPromotion${last.status?.phase}`, issue);
    return;
  }
  const checks = last.status.healthChecks ?? [];
  const about = { project: metadata.namespace ?? "", stage: metadata.name };
  const health = await runChecks(checks, checkers, about, signal);
  setHealth(pass, health, health.status ?? "Unknown", describe(health, checks.length));
}

/** At first after a promotion. */
const soonestSeconds = 5;

/**
 * When health is to be looked at again: every `healthSeconds` while it is good, sooner while it is not, and the
 * rarer the longer it has been so. Undefined where there is nothing to look at.
 */
export function secondsToHealthCheck(
  status: StageStatus,
  now: Date,
  healthSeconds: number,
): number | undefined {
  const { lastPromotion, currentPromotion, health } = status;
  const last = lastPromotion?.status;
  const hasChecks = last?.phase === "Succeeded" && (last.healthChecks ?? []).length > 0;
  if (!hasChecks || currentPromotion !== undefined) return undefined;
  const since = Date.parse(getCondition(status, "Healthy")?.lastTransitionTime ?? "");
  if (health?.status === "Healthy" || Number.isNaN(since)) return healthSeconds;
  const elapsedSeconds = (now.getTime() - since) / 1_000;
  return Math.min(healthSeconds, Math.max(soonestSeconds, elapsedSeconds / 4));
}

async function runChecks(
  checks: readonly HealthCheckStep[],
  checkers: Readonly<Record<string, HealthChecker>>,
  about: { project: string; stage: string },
  signal: AbortSignal,
): Promise<Health> {
  const states: HealthState[] = [];
  const issues: string[] = [];
  const output: Record<string, unknown>[] = [];
  for (const { uses, config = {} } of checks) {
    const result = await runCheck(uses, checkers[uses], { ...about, config }, signal);
    states.push(result.status);
    issues.push(...(result.issues ?? []));
    if (result.output !== undefined) output.push(result.output);
  }
  return {
    status: worstHealth(states),
    ...(issues.length > 0 ? { issues } : {}),
    ...(output.length > 0 ? { output } : {}),
  };
}

async function runCheck(
  uses: string,
  checker: HealthChecker | undefined,
  about: Parameters<HealthChecker>[0],
  signal: AbortSignal,
): ReturnType<HealthChecker> {
  if (checker === undefined) {
    return { status: "Unknown", issues: [`no health checker registered for health check kind "${uses}"`] };
  }
  try {
    return await checker(about, signal);
  } catch (error) {
    signal.throwIfAborted();
    return {
      status: "Unknown",
      issues: [`${uses}: ${error instanceof Error ? error.message : String(error)}`],
    };
  }
}

function describe({ status, issues = [] }: Health, checks: number): string {
  switch (status) {
    case "Healthy":
      return `Stage is healthy (performed ${checks} health checks)`;
    case "Unhealthy":
      return `Stage is unhealthy (${issues.length} issues in ${checks} health checks)`;
    default:
      return "";
  }
}

function setHealth(
  { stage, now }: StagePass,
  health: Health | undefined,
  reason: string,
  message: string,
): void {
  if (health === undefined) delete stage.status.health;
  else stage.status.health = health;
  const isKnown = health?.status === "Healthy" || health?.status === "Unhealthy";
  const status = isKnown ? (health.status === "Healthy" ? "True" : "False") : "Unknown";
  const observedGeneration = stage.metadata.generation;
  setCondition(stage.status, { type: "Healthy", status, reason, message, observedGeneration }, now);
}
