/** Namespaces that are no projects. Their names are Kargo's, which its command line expects. */
export const systemNamespace = "kargo-system-resources";
export const sharedNamespace = "kargo-shared-resources";
export const kargoNamespace = "kargo";

export const reservedNamespaces: ReadonlySet<string> = new Set([
  systemNamespace,
  sharedNamespace,
  kargoNamespace,
]);
