import { shardLabel, sharedProject } from "#core/argocd/from-store.ts";
import { connectionLabel, secretValues } from "#core/credentials/secret-values.ts";
import type { Store } from "#core/store/store.ts";

/** Where people look at the Applications of an Argo CD. */
export interface ArgoAddress {
  url: string;
  /** Of Applications that name none. */
  namespace: string;
}

/** By shard, "" being that of stages without one; a project's own come before the shared ones. */
export async function argoAddresses(store: Store, project?: string): Promise<Record<string, ArgoAddress>> {
  const addresses: Record<string, ArgoAddress> = {};
  for (const owner of project === undefined ? [sharedProject] : [project, sharedProject]) {
    const labels = { [connectionLabel]: "argocd" };
    const secrets = await store.list({ kind: "Secret", project: owner, labels });
    for (const secret of secrets.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
      const shard = secret.metadata.labels?.[shardLabel] ?? "";
      const { server = "", namespace = "" } = secretValues(secret);
      const url = URL.parse(server.trim());
      if (url === null || !["https:", "http:"].includes(url.protocol)) continue;
      addresses[shard] ??= {
        url: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
        namespace: namespace.trim() || "argocd",
      };
    }
  }
  return addresses;
}
