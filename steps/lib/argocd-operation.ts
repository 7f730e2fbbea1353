import { type Application, type Operation, titleOf } from "#core/argocd/application.ts";

/** By this an operation tells which promotion it was begun for. */
export const promotionInfo = "kargo.akuity.io/promotion";

/** What an Application's operation means for a promotion that wants it synced. */
export type Verdict =
  | { is: "to be begun"; why: string }
  | { is: "under way"; what: string }
  | { is: "done" }
  | { is: "failed"; message: string };

const overPhases = ["Succeeded", "Failed", "Error"];

/**
 * Judges the operation that the Application has or had last. One of somebody else is waited for; one of this
 * promotion counts when it ended with the revisions that are wanted, and is begun again when it did not.
 */
export function judgeOperation(app: Application, promotion: string, desired: readonly string[]): Verdict {
  const { operation: asked, status } = app;
  // Asked for, and not taken up yet: what the status tells is of the one before.
  if (asked && !status.operationState) return { is: "under way", what: describe(app, asked, promotion) };
  const state = status.operationState;
  if (!state) return { is: "to be begun", why: "it has had no operation" };
  const operation = state.operation ?? {};
  if (!overPhases.includes(state.phase)) {
    return { is: "under way", what: describe(app, operation, promotion) };
  }
  if (promotionOf(operation) !== promotion) {
    return { is: "to be begun", why: "its last operation was not this promotion's" };
  }
  if (!state.syncResult) return { is: "to be begun", why: "its operation ended without a result" };
  const { revision, revisions } = state.syncResult;
  const observed = revisions?.length ? revisions : [revision ?? ""];
  const isOther = (wanted: string, index: number) => wanted !== "" && observed[index] !== wanted;
  if (desired.some(isOther)) {
    return { is: "to be begun", why: `it was synced to ${list(observed)} in place of ${list(desired)}` };
  }
  if (state.phase === "Succeeded") return { is: "done" };
  return { is: "failed", message: `${titleOf(app)} failed to sync: ${state.message || state.phase}` };
}

function promotionOf({ info }: Pick<Operation, "info">): string | undefined {
  return info?.find(({ name }) => name === promotionInfo)?.value;
}

function describe(app: Application, operation: Partial<Operation>, promotion: string): string {
  const owner = promotionOf(operation);
  if (owner === promotion) return `${titleOf(app)} is being synced`;
  const who = owner === undefined ? (operation.initiatedBy?.username ?? "") : `promotion ${owner}`;
  return `${titleOf(app)} has an operation of ${who || "somebody else"}, which has to end first`;
}

function list(revisions: readonly string[]): string {
  return revisions.map((revision) => revision || "any").join(", ");
}
