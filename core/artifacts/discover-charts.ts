import { selectVersions, versionsOfTags } from "#core/artifacts/chart-selection.ts";
import type { DiscoveryDeps, Found } from "#core/artifacts/discovery-deps.ts";
import { credentialsKey } from "#core/oci/authorizer.ts";
import { normalizeChartUrl } from "#core/oci/image-url.ts";
import { openRepository } from "#core/oci/repository.ts";
import type { ChartSubscription } from "#core/resources/warehouse.ts";

export async function discoverCharts(
  subscription: ChartSubscription,
  subscriptionName: string | undefined,
  deps: DiscoveryDeps,
  maxAgeMs: number,
): Promise<Found> {
  const { repoURL, name, semverConstraint } = subscription;
  const versions = await (repoURL.startsWith("oci://")
    ? versionsInRegistry(subscription, deps, maxAgeMs)
    : versionsInIndex(subscription, deps, maxAgeMs));
  const { chosen, leftOut } = selectVersions(subscription, versions);
  const result = {
    repoURL,
    ...(name ? { name } : {}),
    ...(semverConstraint ? { semverConstraint } : {}),
    versions: chosen,
    ...(subscriptionName === undefined ? {} : { subscriptionName }),
  };
  return { kind: "chart", result, chosen, leftOut, unchanged: false };
}

async function versionsInRegistry(
  { repoURL, insecureSkipTLSVerify }: ChartSubscription,
  { credentials, registries, images, signal }: DiscoveryDeps,
  maxAgeMs: number,
): Promise<string[]> {
  const found = await credentials.find("helm", repoURL);
  const address = normalizeChartUrl(repoURL);
  const repository = openRepository(registries, address, {
    credentials: found,
    insecureSkipTLSVerify,
    signal,
  });
  return versionsOfTags(await images.tags(`${address} ${credentialsKey(found)}`, repository, maxAgeMs));
}

async function versionsInIndex(
  { repoURL, name = "", insecureSkipTLSVerify = false }: ChartSubscription,
  { credentials, charts, signal }: DiscoveryDeps,
  maxAgeMs: number,
): Promise<readonly string[]> {
  const repository = {
    repoURL,
    credentials: await credentials.find("helm", repoURL),
    insecureSkipTLSVerify,
    signal,
  };
  return charts.versions(repository, name, maxAgeMs);
}
