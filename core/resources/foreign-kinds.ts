/**
 * Kinds that stand beside Kargo's in people's files and mean nothing here. They are left out with a
 * warning, so that such files load as they are.
 */
const foreignKinds: ReadonlyMap<string, string> = new Map([
  ["Role", "rbac.authorization.k8s.io"],
  ["RoleBinding", "rbac.authorization.k8s.io"],
  ["ClusterRole", "rbac.authorization.k8s.io"],
  ["ClusterRoleBinding", "rbac.authorization.k8s.io"],
  ["Application", "argoproj.io"],
  ["ApplicationSet", "argoproj.io"],
  ["AppProject", "argoproj.io"],
  ["Rollout", "argoproj.io"],
  ["PromotionRequest", "kargo.akuity.io"],
  ["Target", "kargo.akuity.io"],
  ["Kustomization", "kustomize.config.k8s.io"],
]);

/** Whether a kind is well known and none of ours. */
export function isForeignKind(kind: unknown, apiVersion: unknown): boolean {
  if (typeof kind !== "string" || typeof apiVersion !== "string") return false;
  return apiVersion.split("/")[0] === foreignKinds.get(kind);
}
