import type { MissingArtifacts } from "#core/artifacts/freight-content.ts";
import type { Condition } from "#core/resources/condition.ts";
import type { Warehouse, WarehouseStatus } from "#core/resources/warehouse.ts";
import { deleteCondition, setCondition } from "#core/stages/conditions.ts";

/** The reason of Ready when the last look failed. */
export const discoveryFailure = "DiscoveryFailure";

/** A Warehouse's status while it is reconciled, spoken of in Kargo's conditions and reasons. */
export interface StatusDraft {
  readonly status: WarehouseStatus;
  discovering(): void;
  discoveryFailed(why: string): void;
  missing(what: MissingArtifacts): void;
  criteriaFailed(why: string): void;
  criteriaNotMet(): void;
  criteriaMet(): void;
  freightExists(name: string): void;
  freightCreated(name: string): void;
  /** Freight waits until its artifacts have stayed the same for some time. */
  settling(until: string): void;
  succeeded(): void;
}

export function draftStatus(warehouse: Warehouse, now: Date): StatusDraft {
  const status: WarehouseStatus = structuredClone(warehouse.status ?? {});
  const observedGeneration = warehouse.metadata.generation ?? 0;
  const set = (type: string, value: Condition["status"], reason: string, message = "") =>
    setCondition(status, { type, status: value, reason, message, observedGeneration }, now);
  const unset = (type: string) => deleteCondition(status, type);
  const unhealthy = (healthyReason: string, readyReason: string, message: string, readyMessage = message) => {
    set("Healthy", "False", healthyReason, message);
    set("Ready", "False", readyReason, readyMessage);
  };
  const count = warehouse.spec.subscriptions.length;

  return {
    status,
    discovering() {
      set("Reconciling", "True", "ScheduledDiscovery", `Discovering artifacts for ${count} subscriptions`);
      set("Ready", "False", "DiscoveryInProgress", "Waiting for discovery to complete");
      set(
        "Healthy",
        "Unknown",
        "Pending",
        "Health status cannot be determined until artifact discovery is finished",
      );
      unset("FreightCreationCriteriaSatisfied");
      unset("FreightCreated");
    },
    discoveryFailed(why) {
      unhealthy(
        "DiscoveryFailed",
        discoveryFailure,
        `Unable to discover artifacts: ${why}`,
        `Artifact discovery failed: ${why}`,
      );
    },
    missing({ healthyReason, readyReason, message }) {
      unhealthy(healthyReason, readyReason, message);
      unset("Reconciling");
    },
    criteriaFailed(why) {
      const reason = "CriteriaEvaluationFailed";
      unhealthy(reason, reason, `Evaluation of Freight creation criteria failed: ${why}`);
      unset("Reconciling");
    },
    criteriaNotMet() {
      set(
        "FreightCreationCriteriaSatisfied",
        "False",
        "CriteriaNotSatisfied",
        "Freight creation criteria were not satisfied",
      );
    },
    criteriaMet() {
      set(
        "FreightCreationCriteriaSatisfied",
        "True",
        "CriteriaSatisfied",
        "Freight creation criteria satisfied",
      );
    },
    freightExists(name) {
      set(
        "FreightCreated",
        "False",
        "AlreadyExists",
        "Freight composed of the newest artifacts already exists",
      );
      status.lastFreightID = name;
      delete status.settling;
    },
    freightCreated(name) {
      set(
        "FreightCreated",
        "True",
        "NewFreight",
        "No Freight composed of the newest artifacts already existed",
      );
      status.lastFreightID = name;
      delete status.settling;
    },
    settling(until) {
      set(
        "FreightCreated",
        "False",
        "Settling",
        `The newest artifacts become freight when they have not changed until ${until}`,
      );
    },
    succeeded() {
      set("Healthy", "True", "ReconciliationSucceeded");
      set(
        "Ready",
        "True",
        "ArtifactsDiscovered",
        `Successfully discovered artifacts from ${count} subscriptions`,
      );
      unset("Reconciling");
    },
  };
}
