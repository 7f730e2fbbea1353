import type { Scope } from "#core/expressions/expressions.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";
import { type LabelSelector, matchesLabels } from "#core/resources/label-selector.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";
import type { GenericWebhookTarget } from "#core/resources/webhook-receiver.ts";
import type { WebhookServices } from "#server/webhooks/provider.ts";
import { awaitedPullRequests } from "#server/webhooks/refresh.ts";

/** The resources that at least one of the criteria selects, by project and name, each once. */
export async function selectTargets(
  services: WebhookServices,
  project: string | undefined,
  criteria: readonly GenericWebhookTarget[],
  scope: Scope,
): Promise<Resource[]> {
  const found = new Map<string, Resource>();
  for (const target of criteria) {
    for (const resource of await select(services, project, target, scope)) {
      const { namespace, name } = resource.metadata;
      found.set(`${namespace}/${name}`, resource);
    }
  }
  return [...found.values()].sort(byProjectAndName);
}

function byProjectAndName({ metadata: one }: Resource, { metadata: other }: Resource): number {
  const [project = "", otherProject = ""] = [one.namespace, other.namespace];
  if (project !== otherProject) return project < otherProject ? -1 : 1;
  return one.name < other.name ? -1 : 1;
}

/** All that is given must hold; every value may be an expression. */
async function select(
  { store, expressions }: WebhookServices,
  project: string | undefined,
  { kind, name, labelSelector, indexSelector }: GenericWebhookTarget,
  scope: Scope,
): Promise<Resource[]> {
  const text = async (template: string): Promise<string> => {
    const value = await expressions.evaluateTemplate(template, scope);
    if (typeof value === "string") return value;
    throw new Error(`"${template}" gave ${JSON.stringify(value)}, not a text`);
  };
  const wantedName = name ? await text(name) : undefined;
  const labels = labelSelector ? await evaluateLabels(labelSelector, text) : {};
  const indices: { valuesOf: Index; equal: boolean; value: string }[] = [];
  for (const { key, operator, value } of indexSelector?.matchIndices ?? []) {
    const valuesOf = indexesOf[kind][key];
    if (valuesOf === undefined) throw new Error(`${kind} has no index "${key}"`);
    indices.push({ valuesOf, equal: operator === "Equals", value: await text(value) });
  }
  const resources = await store.list(project === undefined ? { kind } : { kind, project });
  return resources.filter(
    (resource) =>
      (wantedName === undefined || resource.metadata.name === wantedName) &&
      matchesLabels(labels, resource.metadata.labels) &&
      indices.every(({ valuesOf, equal, value }) => valuesOf(resource).includes(value) === equal),
  );
}

async function evaluateLabels(
  { matchLabels = {}, matchExpressions = [] }: LabelSelector,
  text: (template: string) => Promise<string>,
): Promise<LabelSelector> {
  const labels: [string, string][] = [];
  for (const [key, value] of Object.entries(matchLabels)) labels.push([key, await text(value)]);
  const requirements: NonNullable<LabelSelector["matchExpressions"]> = [];
  for (const { values, ...requirement } of matchExpressions) {
    const evaluated: string[] = [];
    for (const value of values ?? []) evaluated.push(await text(value));
    refuseMeaningless(requirement.operator, evaluated);
    requirements.push({ ...requirement, ...(values ? { values: evaluated } : {}) });
  }
  return { matchLabels: Object.fromEntries(labels), matchExpressions: requirements };
}

/** As Kubernetes refuses them: In of nothing selects nothing, and NotIn of nothing everything. */
function refuseMeaningless(operator: string, values: readonly string[]): void {
  const wantsValues = operator === "In" || operator === "NotIn";
  if (wantsValues === values.length > 0) return;
  throw new Error(
    `a label selector with ${operator} has ${wantsValues ? "at least one value" : "no values"}`,
  );
}

/** The values that a resource is found by. */
type Index = (resource: Resource) => readonly string[];

const indexesOf: Record<GenericWebhookTarget["kind"], Readonly<Record<string, Index>>> = {
  Warehouse: { subscribedURLs: subscribedUrls },
  Promotion: { pullRequestURL: (resource) => awaitedPullRequests(resource as Promotion) },
};

/** What a Warehouse subscribes to, normalised. */
function subscribedUrls(resource: Resource): string[] {
  return (resource as Warehouse).spec.subscriptions.flatMap(({ git, image, chart }) => [
    ...(git ? [normalizeGitUrl(git.repoURL)] : []),
    ...(image ? [normalizeImageUrl(image.repoURL)] : []),
    ...(chart ? [normalizeChartUrl(chart.repoURL)] : []),
  ]);
}
