import { keys as promotionKeys } from "#core/promotion/keys.ts";

/** Labels and annotations by which Kargo's own tools know resources, and those that ask something of them. */
export const keys = {
  ...promotionKeys,
  alias: "kargo.akuity.io/alias",
  credentialType: "kargo.akuity.io/cred-type",
  description: "kargo.akuity.io/description",
  project: "kargo.akuity.io/project",
  replicateTo: "kargo.akuity.io/replicate-to",
  /** On the Secret that stands for an API token. */
  apiToken: "rbac.kargo.akuity.io/api-token",
  role: "rbac.kargo.akuity.io/role",
} as const;
