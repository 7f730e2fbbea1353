import { checkedFileName, type ManifestNames } from "./rendered-manifests.ts";

/** Kubernetes' own kinds that stand outside of namespaces, as Kustomize knows them. */
const clusterKinds: Readonly<Record<string, readonly string[]>> = {
  "": ["ComponentStatus", "Namespace", "Node", "NodeProxyOptions", "PersistentVolume"],
  "admissionregistration.k8s.io": ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
  "apiextensions.k8s.io": ["CustomResourceDefinition"],
  "apiregistration.k8s.io": ["APIService"],
  "certificates.k8s.io": ["CertificateSigningRequest"],
  "flowcontrol.apiserver.k8s.io": ["FlowSchema", "PriorityLevelConfiguration"],
  "networking.k8s.io": ["IngressClass"],
  "node.k8s.io": ["RuntimeClass"],
  policy: ["PodSecurityPolicy"],
  "rbac.authorization.k8s.io": ["ClusterRole", "ClusterRoleBinding"],
  "scheduling.k8s.io": ["PriorityClass"],
  "storage.k8s.io": ["CSIDriver", "CSINode", "StorageClass", "VolumeAttachment"],
};

/** File names in one of two ways, in the order of the manifests. */
export function kustomizedFileNames(
  manifests: readonly ManifestNames[],
  format: "kargo" | "kustomize",
): string[] {
  if (format === "kargo") return manifests.map(kargoName).map(checkedFileName);
  const namespaced = manifests.filter((one) => !isClusterWide(one));
  const hasSeveral = new Set(namespaced.map(({ namespace }) => namespace || "default")).size > 1;
  return manifests.map((one) => {
    const { group, version } = groupOf(one);
    const kind = [group, version, one.kind].filter((part) => part !== "").join("_");
    const prefix = hasSeveral && !isClusterWide(one) && one.namespace !== "" ? `${one.namespace}_` : "";
    return checkedFileName(`${prefix}${kind}_${one.name}.yaml`.toLowerCase());
  });
}

function kargoName({ namespace, kind, name }: ManifestNames): string {
  return `${namespace === "" ? "" : `${namespace}-`}${kind}-${name}.yaml`.toLowerCase();
}

function groupOf({ apiVersion }: ManifestNames): { group: string; version: string } {
  const slash = apiVersion.indexOf("/");
  return { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1) };
}

function isClusterWide(manifest: ManifestNames): boolean {
  return clusterKinds[groupOf(manifest).group]?.includes(manifest.kind) ?? false;
}
