import { createHash } from "node:crypto";
import { secretValues } from "#core/credentials/secret-values.ts";
import { UserError } from "#core/failure.ts";
import type { ClusterConfig } from "#core/resources/cluster-config.ts";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import type { WebhookReceiverConfig, WebhookReceiverDetails } from "#core/resources/webhook-receiver.ts";
import type { Store } from "#core/store/store.ts";
import { systemNamespace } from "#server/api/namespaces.ts";
import { sameSecret } from "#server/auth/tokens.ts";
import { artifactory } from "#server/webhooks/artifactory.ts";
import { azure } from "#server/webhooks/azure.ts";
import { bitbucket } from "#server/webhooks/bitbucket.ts";
import { dockerhub } from "#server/webhooks/dockerhub.ts";
import { generic } from "#server/webhooks/generic.ts";
import { gitea } from "#server/webhooks/gitea.ts";
import { github } from "#server/webhooks/github.ts";
import { gitlab } from "#server/webhooks/gitlab.ts";
import { harbor } from "#server/webhooks/harbor.ts";
import type { WebhookProvider } from "#server/webhooks/provider.ts";
import { quay } from "#server/webhooks/quay.ts";

export const webhookProviders: readonly WebhookProvider[] = [
  artifactory,
  azure,
  bitbucket,
  dockerhub,
  generic,
  gitea,
  github,
  gitlab,
  harbor,
  quay,
];

/** Folder of all receivers; below it stand the provider and a hash that nobody can guess. */
export const webhookFolder = "/webhook";

/** A receiver that is ready to be called. */
export interface Receiver {
  provider: WebhookProvider;
  config: WebhookReceiverConfig;
  secret: string;
  project: string | undefined;
}

/**
 * Where a receiver listens, by Kargo's rule: the hash of the project (none for the installation's receivers),
 * the receiver's name and its secret. Changing the rule would change addresses that are in use.
 */
export function describeReceiver(
  publicUrl: string,
  { provider, config, secret, project }: Receiver,
): Required<WebhookReceiverDetails> {
  const id = createHash("sha256")
    .update(`${project ?? ""}${config.name}${secret}`)
    .digest("hex");
  const url = `${publicUrl}${webhookFolder}/${provider.type}/${id}`;
  return { name: config.name, path: new URL(url).pathname, url };
}

/** A configured receiver with its secret. Throws a UserError when it cannot work as it is configured. */
export async function openReceiver(
  store: Store,
  config: WebhookReceiverConfig,
  project: string | undefined,
): Promise<Receiver> {
  const provider = webhookProviders.find(({ type }) => config[type] !== undefined);
  const secretName = provider && config[provider.type]?.secretRef.name;
  if (!provider || secretName === undefined) {
    const types = webhookProviders.map(({ type }) => type).join(", ");
    throw new UserError(`receiver "${config.name}" is of none of the types that can be received: ${types}`);
  }
  const namespace = project ?? systemNamespace;
  const found = await store.get({ kind: "Secret", project: namespace, name: secretName });
  if (!found) throw new UserError(`Secret "${secretName}" not found in namespace "${namespace}"`);
  const secret = secretValues(found)[provider.secretKey];
  if (!secret) {
    throw new UserError(
      `Secret "${secretName}" in namespace "${namespace}" has no value "${provider.secretKey}"`,
    );
  }
  return { provider, config, secret, project };
}

/**
 * The receiver that listens at a path, if there is one. Its status has announced the path, and it must still
 * follow from the receiver's present secret: after a change of secret the old path is dead at once.
 */
export async function findReceiver(store: Store, type: string, id: string): Promise<Receiver | undefined> {
  const end = `${webhookFolder}/${type}/${id}`;
  for (const { config, project } of await announcedReceivers(store)) {
    if (config.announced === undefined || !sameSecret(tail(config.announced), end)) continue;
    const receiver = await openReceiver(store, config.receiver, project).catch(() => undefined);
    if (!receiver) continue;
    const { path } = describeReceiver("http://localhost", receiver);
    if (sameSecret(path, end)) return receiver;
  }
  return undefined;
}

interface Announced {
  project: string | undefined;
  config: { receiver: WebhookReceiverConfig; announced: string | undefined };
}

async function announcedReceivers(store: Store): Promise<Announced[]> {
  const cluster = (await store.get({ kind: "ClusterConfig", name: "cluster" })) as ClusterConfig | undefined;
  const projects = (await store.list({ kind: "ProjectConfig" })) as ProjectConfig[];
  const of = ({ spec, status }: ProjectConfig | ClusterConfig, project: string | undefined): Announced[] =>
    (spec?.webhookReceivers ?? []).map((receiver) => {
      const announced = status?.webhookReceivers?.find(({ name }) => name === receiver.name)?.path;
      return { project, config: { receiver, announced } };
    });
  return [
    ...projects.flatMap((config) => of(config, config.metadata.namespace)),
    ...(cluster ? of(cluster, undefined) : []),
  ];
}

/** A path without what a proxy may have in front of it. */
function tail(path: string): string {
  return path.slice(Math.max(0, path.lastIndexOf(`${webhookFolder}/`)));
}
