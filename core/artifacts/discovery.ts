import { discoverCharts } from "#core/artifacts/discover-charts.ts";
import { discoverCommits } from "#core/artifacts/discover-commits.ts";
import { discoverImages } from "#core/artifacts/discover-images.ts";
import type { DiscoveryDeps, Found } from "#core/artifacts/discovery-deps.ts";
import { inParallel } from "#core/artifacts/in-parallel.ts";
import type { LeftOut } from "#core/artifacts/selection.ts";
import { type StepFailure, toStepFailure } from "#core/failure.ts";
import type { DiscoveredArtifacts, RepoSubscription, WarehouseSpec } from "#core/resources/warehouse.ts";
import { toTime } from "#core/stages/times.ts";

export type { DiscoveryDeps } from "#core/artifacts/discovery-deps.ts";

/** What was seen of one subscription's repository, or why nothing could be. */
export interface SubscriptionReport {
  kind: "git" | "image" | "chart";
  repoURL: string;
  name: string | undefined;
  /** Names of what was chosen, the best first. */
  chosen: string[];
  leftOut: LeftOut[];
  /** Nothing had changed since the last time, so that nothing was read anew and nothing was left out. */
  unchanged: boolean;
  failure: StepFailure | undefined;
}

export interface Discovery {
  /** Undefined when a subscription failed: freight holds something of each. */
  artifacts: DiscoveredArtifacts | undefined;
  /** In the order of the subscriptions. */
  reports: SubscriptionReport[];
}

export interface DiscoveryRequest {
  /** Names the Warehouse among all others. */
  key: string;
  /** What the same subscriptions found last time; it stands for what has not changed since. */
  previous?: DiscoveredArtifacts | undefined;
  /** Answers at most this old may be taken from memory; 0 asks everybody. */
  maxAgeMs: number;
  /** Somebody, most likely a webhook, asked for this look. */
  isAsked?: boolean;
}

/** What a look depends on. */
type LookedAt = Pick<WarehouseSpec, "subscriptions" | "freightCreationCriteria">;

/** How many repositories of a Warehouse are asked at once. */
const width = 4;

/** Looks at all repositories that a Warehouse subscribes to. One that fails is reported and harms no other. */
export async function discover(
  spec: LookedAt,
  deps: DiscoveryDeps,
  request: DiscoveryRequest,
): Promise<Discovery> {
  const results: (Result | undefined)[] = spec.subscriptions.map(() => undefined);
  await inParallel(spec.subscriptions, width, async (subscription, index) => {
    results[index] = await look(subscription, index, spec, deps, request);
  });
  deps.signal?.throwIfAborted();
  const complete = results.filter((result) => result !== undefined);
  const reports = complete.map(({ report }) => report);
  if (reports.some(({ failure }) => failure !== undefined)) return { artifacts: undefined, reports };
  const artifacts: DiscoveredArtifacts = {
    discoveredAt: toTime(deps.now()),
    git: complete.flatMap(({ found }) => (found?.kind === "git" ? [found.result] : [])),
    images: complete.flatMap(({ found }) => (found?.kind === "image" ? [found.result] : [])),
    charts: complete.flatMap(({ found }) => (found?.kind === "chart" ? [found.result] : [])),
  };
  return { artifacts, reports };
}

interface Result {
  report: SubscriptionReport;
  found?: Found;
}

async function look(
  subscription: RepoSubscription,
  index: number,
  spec: LookedAt,
  deps: DiscoveryDeps,
  request: DiscoveryRequest,
): Promise<Result> {
  const kind = kindOf(subscription);
  const { repoURL = "" } = subscription[kind] ?? {};
  const blank = { kind, repoURL, name: subscription.name, chosen: [], leftOut: [], unchanged: false };
  try {
    const found = await find(subscription, index, spec, deps, request);
    const { chosen, leftOut, unchanged } = found;
    return { found, report: { ...blank, chosen, leftOut, unchanged, failure: undefined } };
  } catch (error) {
    return { report: { ...blank, failure: toStepFailure(error) } };
  }
}

function kindOf({ git, image }: RepoSubscription): SubscriptionReport["kind"] {
  return git ? "git" : image ? "image" : "chart";
}

async function find(
  { name, git, image, chart }: RepoSubscription,
  index: number,
  { subscriptions: all, freightCreationCriteria }: LookedAt,
  deps: DiscoveryDeps,
  { key, previous, maxAgeMs, isAsked = false }: DiscoveryRequest,
): Promise<Found> {
  if (git) {
    // As Kargo pairs them: the nth git subscription with the nth result.
    const position = all.slice(0, index).filter((other) => other.git !== undefined).length;
    return discoverCommits(git, name, deps, {
      key: `${key} ${index}`,
      previous: previous?.git?.[position],
      newsIsLikely: isAsked,
    });
  }
  if (image) {
    const readsTimes = /\bcreatedAt\b/i.test(freightCreationCriteria?.expression ?? "");
    return discoverImages(image, name, deps, { maxAgeMs, readsTimes });
  }
  if (chart) return discoverCharts(chart, name, deps, maxAgeMs);
  throw new Error("a subscription names neither git, image nor chart");
}

/** What a failed subscription is called in conditions: `image "ghcr.io/shop/web": …`. */
export function describeFailures(reports: readonly SubscriptionReport[]): string {
  return reports
    .flatMap(({ kind, repoURL, name, failure }) => {
      if (failure === undefined) return [];
      const label = name === undefined ? "" : ` (${name})`;
      return [`${kind} "${withoutUser(repoURL)}"${label}: ${failure.message}`];
    })
    .join("; ");
}

/** Some write their password into the address. */
function withoutUser(repoURL: string): string {
  return repoURL.replace(/\/\/[^/@\s]*@/, "//");
}
