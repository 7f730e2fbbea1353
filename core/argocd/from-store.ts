import type { ArgoConnection } from "#core/argocd/connection.ts";
import type { Masker } from "#core/credentials/masker.ts";
import { connectionLabel, secretValues } from "#core/credentials/secret-values.ts";
import { StepFailure } from "#core/failure.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { Store } from "#core/store/store.ts";

/** Of a Secret: the stages that it serves. */
export const shardLabel = "kargo.akuity.io/shard";
export const sharedProject = "kargo-shared-resources";
/** As Kargo has it. */
const defaultNamespace = "argocd";

/**
 * The Argo CD that a stage deploys with: from a Secret of its project, else from a shared one. Of several, one
 * that is labelled with the stage's shard comes first, then those without a shard, in the order of their names.
 * Undefined where there is none. Throws a StepFailure when the Secret cannot be used.
 */
export async function findArgoConnection(
  store: Store,
  masker: Masker,
  project: string,
  stage: string,
): Promise<ArgoConnection | undefined> {
  const about = (await store.get({ kind: "Stage", project, name: stage })) as Stage | undefined;
  for (const owner of [project, sharedProject]) {
    const labels = { [connectionLabel]: "argocd" };
    const secrets = await store.list({ kind: "Secret", project: owner, labels });
    const chosen = choose(secrets, about?.spec.shard ?? "");
    if (chosen !== undefined) return toConnection(chosen, masker);
  }
  return undefined;
}

function choose(secrets: readonly Resource[], shard: string): Resource | undefined {
  const inOrder = secrets.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  const ofShard = (wanted: string) =>
    inOrder.find(({ metadata }) => (metadata.labels?.[shardLabel] ?? "") === wanted);
  return ofShard(shard) ?? ofShard("");
}

function toConnection(secret: Resource, masker: Masker): ArgoConnection {
  const { server = "", token = "", namespace, caData, ...options } = trimmed(secretValues(secret));
  if (token !== "") masker.add(token);
  const { name, namespace: owner } = secret.metadata;
  const refuse = (why: string) =>
    new StepFailure("refused", `Cannot use Argo CD by Secret "${name}" of "${owner}": ${why}`);
  const url = URL.parse(server);
  if (url === null || !["https:", "http:"].includes(url.protocol)) {
    throw refuse('its key "server" must be an address such as https://argocd.example.com');
  }
  if (url.protocol === "http:" && options.allowHttp !== "true") {
    throw refuse('its "server" has no TLS; with "allowHttp" set to "true" the token is sent all the same');
  }
  if (token === "") throw refuse('it has no "token"');
  return {
    server: `${url.origin}${url.pathname.replace(/\/+$/, "")}`,
    token,
    namespace: namespace || defaultNamespace,
    insecureSkipTLSVerify: options.insecureSkipTLSVerify === "true",
    ...(caData ? { caCertificates: caData } : {}),
  };
}

/** Values that were made from files end in a line's end. */
function trimmed(values: Record<string, string>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.trim()]));
}
