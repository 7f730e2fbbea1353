import { couldTakeVersion } from "#core/artifacts/chart-selection.ts";
import { couldTakeRef } from "#core/artifacts/git-selection.ts";
import { couldTakeTag } from "#core/artifacts/image-selection.ts";
import { pathFilter } from "#core/artifacts/path-filter.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";
import { keys } from "#core/promotion/keys.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { type Resource, refOf } from "#core/resources/resource.ts";
import type { RepoSubscription, Warehouse } from "#core/resources/warehouse.ts";
import { annotate } from "#server/api/api.ts";
import type { WebhookAnswer, WebhookServices } from "#server/webhooks/provider.ts";

/** What is new in a repository, as far as a webhook tells. */
export interface News {
  /** Normalised; several where a repository has several addresses. */
  repoURLs: readonly string[];
  /** What is new: Git refs, tags, versions. Without any, every subscription is concerned; "" is none. */
  qualifiers: readonly string[];
  /** Files that changed; without them every path is concerned. */
  changedFiles?: readonly string[];
}

/** Has the Warehouses look that the news is for: those of the project, or of all projects. */
export async function refreshWarehouses(
  services: WebhookServices,
  project: string | undefined,
  news: News,
): Promise<WebhookAnswer> {
  const query = project === undefined ? { kind: "Warehouse" } : { kind: "Warehouse", project };
  const warehouses = (await services.store.list(query)) as Warehouse[];
  const concerned = warehouses.filter(({ spec }) => spec.subscriptions.some((one) => concerns(news, one)));
  return refreshAll(services, concerned as Resource[], "warehouse(s)", "warehouses");
}

function concerns(news: News, { git, image, chart }: RepoSubscription): boolean {
  const qualifiers = news.qualifiers.filter(Boolean);
  const couldTakeOne = (couldTake: (qualifier: string) => boolean) =>
    qualifiers.length === 0 || qualifiers.some(couldTake);
  if (git && news.repoURLs.includes(normalizeGitUrl(git.repoURL))) {
    if (qualifiers.length === 0) return true;
    const matchesPaths = news.changedFiles?.length ? pathFilter(git) : undefined;
    return couldTakeOne((ref) => couldTakeRef(git, ref)) && (matchesPaths?.(news.changedFiles ?? []) ?? true);
  }
  if (image && news.repoURLs.includes(normalizeImageUrl(image.repoURL))) {
    return couldTakeOne((tag) => couldTakeTag(image, tag));
  }
  if (chart && news.repoURLs.includes(normalizeChartUrl(chart.repoURL))) {
    return couldTakeOne((version) => couldTakeVersion(chart, version));
  }
  return false;
}

/** Wakes the promotions that wait for a pull request. */
export async function refreshWaitingPromotions(
  services: WebhookServices,
  project: string | undefined,
  pullRequestUrl: string,
): Promise<WebhookAnswer> {
  if (pullRequestUrl === "") return refreshAll(services, [], "promotion(s)");
  const query = { kind: "Promotion", where: { "status.phase": ["Running"] } };
  const running = await services.store.list(project === undefined ? query : { ...query, project });
  const waiting = (running as Promotion[]).filter((one) => awaitedPullRequests(one).includes(pullRequestUrl));
  return refreshAll(services, waiting as Resource[], "promotion(s)");
}

/** The addresses of the pull requests that a running promotion waits for, as its steps tell in their outputs. */
export function awaitedPullRequests({ spec, status }: Promotion): string[] {
  if (status?.phase !== "Running") return [];
  const begun = (spec.steps ?? []).slice(0, (status.currentStep ?? 0) + 1);
  return begun.flatMap(({ uses, as = "" }) => {
    if (uses !== "git-wait-for-pr") return [];
    const output = status.state?.[as] as { pr?: { url?: unknown } | null } | null | undefined;
    const url = output?.pr?.url;
    return typeof url === "string" && url !== "" ? [url] : [];
  });
}

/** Answers in Kargo's words, which differ a little for warehouses that failed. */
async function refreshAll(
  services: WebhookServices,
  resources: readonly Resource[],
  nouns: string,
  nounsThatFailed = nouns,
): Promise<WebhookAnswer> {
  const outcomes = await Promise.all(resources.map((resource) => refreshOne(services, resource)));
  const failures = outcomes.filter((succeeded) => !succeeded).length;
  if (failures === 0) return { status: 200, body: { msg: `refreshed ${resources.length} ${nouns}` } };
  const error = `failed to refresh ${failures} of ${resources.length} ${nounsThatFailed}`;
  return { status: 500, body: { error } };
}

/** Leaves the annotation that wakes a resource's reconciler; false when that did not work. */
export async function refreshOne({ store, log, now }: WebhookServices, resource: Resource): Promise<boolean> {
  try {
    await annotate(store, refOf(resource), keys.refresh, now().toISOString());
    return true;
  } catch (error) {
    log.error("Cannot refresh what a webhook was for", { error, resource: refOf(resource) });
    return false;
  }
}
