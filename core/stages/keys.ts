import { keys as promotionKeys } from "#core/promotion/keys.ts";

/** Labels and annotations by which Kargo's own tools know stages, their promotions and their verifications. */
export const keys = {
  ...promotionKeys,
  /** On a stage: `supersede` lets newer promotions take the place of those that wait. */
  queue: "towpath.dev/queue",
  /** On a stage: `combination` has auto-promotion take all that the one upstream stage holds, as one. */
  autoPromotion: "towpath.dev/auto-promotion",
  /** On a promotion: why it may start although the stage's windows are closed. */
  windowOverride: "towpath.dev/window-override",
  /** On a promotion: the origin that auto-promotion is to rest for. */
  hold: "kargo.akuity.io/auto-promotion-hold",
  /** On a promotion: the origin that auto-promotion is to go on for. */
  resume: "kargo.akuity.io/auto-promotion-resume",
  /** On an AnalysisRun: id of the freight that is verified. */
  freightCollection: "kargo.akuity.io/freight-collection",
  /** On an AnalysisRun: the promotion that led to it. */
  promotion: "kargo.akuity.io/promotion",
  /** On a stage: the Argo CD Applications of its last promotion, as JSON. */
  argocdContext: "kargo.akuity.io/argocd-context",
} as const;

/** The actor of what stages do by themselves. */
export const stageActor = "controller:stage-controller";

/** Whether the actor is a person or a client of the API, and not a part of the daemon. */
export function isUser(actor: string | undefined): actor is string {
  return actor !== undefined && actor !== "" && !actor.startsWith("controller:");
}
