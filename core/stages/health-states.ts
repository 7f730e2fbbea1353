import type { HealthState } from "#core/resources/stage.ts";

/** From the best to the worst. */
const severity: readonly HealthState[] = ["Healthy", "NotApplicable", "Progressing", "Unknown", "Unhealthy"];

/** The worst of them; "Healthy" when there is none. */
export function worstHealth(states: readonly HealthState[]): HealthState {
  return severity[Math.max(0, ...states.map((state) => severity.indexOf(state)))] ?? "Healthy";
}
