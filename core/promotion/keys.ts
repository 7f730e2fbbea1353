/** Labels and annotations by which Kargo's own tools know a promotion, and those that ask something of it. */
export const keys = {
  stage: "kargo.akuity.io/stage",
  shard: "kargo.akuity.io/shard",
  createActor: "kargo.akuity.io/create-actor",
  rollback: "kargo.akuity.io/rollback",
  abort: "kargo.akuity.io/abort",
  refresh: "kargo.akuity.io/refresh",
  reverify: "kargo.akuity.io/reverify",
  /** On what belongs to one promotion and goes with it: its gates, its hidden outputs. */
  promotionUid: "towpath.dev/promotion-uid",
} as const;
