import { StepFailure } from "#core/failure.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import type {
  ArtifactReference,
  Chart,
  FreightOrigin,
  FreightReference,
  GitCommit,
  Image,
} from "#core/resources/freight.ts";
import type { FreightRequest } from "#core/resources/stage.ts";

/** A Warehouse's subscription, as far as telling what it could bring needs it. */
export interface SubscriptionSource {
  name?: string | undefined;
  git?: { repoURL: string } | undefined;
  image?: { repoURL: string } | undefined;
  chart?: { repoURL: string; name?: string | undefined } | undefined;
}

/**
 * The subscriptions of a Warehouse by its name; undefined where nothing is known of it, and then the
 * freight at hand stands in for them. Throws for a Warehouse that should exist and does not.
 */
export type SubscriptionsOf = (warehouse: string) => readonly SubscriptionSource[] | undefined;

/**
 * Finds the commit of a repository in freight. Without an origin it is the one requested Warehouse that
 * subscribes to the repository; a StepFailure of kind "config" says when several do.
 */
export function findCommit(
  freightRequests: readonly FreightRequest[],
  freight: readonly FreightReference[],
  repoURL: string,
  origin?: FreightOrigin,
  subscriptionsOf?: SubscriptionsOf,
): GitCommit | undefined {
  const wanted = normalizeGitUrl(repoURL);
  return findArtifactBy<GitCommit>(freightRequests, freight, origin, subscriptionsOf, {
    what: `a commit from repo ${wanted}`,
    advice: "please update promotion steps to disambiguate",
    subscribes: ({ git }) => git !== undefined && normalizeGitUrl(git.repoURL) === wanted,
    contents: ({ commits }) => commits,
    matches: (commit) => normalizeGitUrl(commit.repoURL) === wanted,
  }).found;
}

/** Finds the image of a repository in freight, as findCommit does. Addresses are compared as written. */
export function findImage(
  freightRequests: readonly FreightRequest[],
  freight: readonly FreightReference[],
  repoURL: string,
  origin?: FreightOrigin,
  subscriptionsOf?: SubscriptionsOf,
): Image | undefined {
  return findArtifactBy<Image>(freightRequests, freight, origin, subscriptionsOf, {
    what: `a container image from repository ${repoURL}`,
    advice: "please provide a Freight origin to disambiguate",
    subscribes: ({ image }) => image?.repoURL === repoURL,
    contents: ({ images }) => images,
    matches: (image) => image.repoURL === repoURL,
  }).found;
}

/**
 * Finds a chart in freight, as findCommit does; `name` is "" for charts of OCI repositories. Unlike the
 * others it fails when no requested Warehouse subscribes to the chart.
 */
export function findChart(
  freightRequests: readonly FreightRequest[],
  freight: readonly FreightReference[],
  repoURL: string,
  name = "",
  origin?: FreightOrigin,
  subscriptionsOf?: SubscriptionsOf,
): Chart | undefined {
  const { from, found } = findArtifactBy<Chart>(freightRequests, freight, origin, subscriptionsOf, {
    what: `a chart from repository ${repoURL}`,
    advice: "please provide a Freight origin to disambiguate",
    subscribes: ({ chart }) => chart?.repoURL === repoURL && (chart.name ?? "") === name,
    contents: ({ charts }) => charts,
    matches: (chart) => chart.repoURL === repoURL && (chart.name ?? "") === name,
  });
  if (from !== undefined) return found;
  const chart = name === "" ? "chart" : `chart "${name}"`;
  throw new StepFailure("config", `${chart} from repo ${repoURL} not found in referenced Freight`);
}

/** Finds what the named subscription of another kind brought, as findCommit does. */
export function findArtifact(
  freightRequests: readonly FreightRequest[],
  freight: readonly FreightReference[],
  subscriptionName: string,
  origin?: FreightOrigin,
  subscriptionsOf?: SubscriptionsOf,
): ArtifactReference | undefined {
  return findArtifactBy<ArtifactReference>(freightRequests, freight, origin, subscriptionsOf, {
    what: `a "${subscriptionName}" artifact`,
    advice: "please update promotion steps to disambiguate",
    subscribes: ({ name, git, image, chart }) =>
      name === subscriptionName && git === undefined && image === undefined && chart === undefined,
    contents: (reference) => reference.artifacts,
    matches: (artifact) => artifact.subscriptionName === subscriptionName,
  }).found;
}

/** Fails, as findImage would, when two of the requested Warehouses' subscriptions name one image repository. */
export function refuseAmbiguousImages(
  freightRequests: readonly FreightRequest[],
  freight: readonly FreightReference[],
  subscriptionsOf: SubscriptionsOf = () => undefined,
): void {
  const seen = new Set<string>();
  for (const { origin } of freightRequests) {
    const subscribed = subscriptionsOf(origin.name)?.flatMap(({ image }) => image?.repoURL ?? []);
    for (const repoURL of subscribed ?? carriedImages(freight, origin)) {
      if (seen.has(repoURL)) {
        const reason = `multiple requested Freight could potentially provide a container image from repository ${repoURL}`;
        throw new StepFailure("config", reason);
      }
      seen.add(repoURL);
    }
  }
}

function carriedImages(freight: readonly FreightReference[], origin: FreightOrigin): Set<string> {
  const carried = freight.filter((reference) => sameOrigin(reference.origin, origin));
  return new Set(carried.flatMap(({ images = [] }) => images.map(({ repoURL }) => repoURL)));
}

/** What tells one kind of artifact from another. */
interface Search<Artifact> {
  what: string;
  advice: string;
  subscribes(subscription: SubscriptionSource): boolean;
  contents(reference: FreightReference): Artifact[] | undefined;
  matches(artifact: Artifact): boolean;
}

function findArtifactBy<Artifact>(
  freightRequests: readonly FreightRequest[],
  freight: readonly FreightReference[],
  origin: FreightOrigin | undefined,
  subscriptionsOf: SubscriptionsOf | undefined,
  search: Search<Artifact>,
): { from: FreightOrigin | undefined; found: Artifact | undefined } {
  const from = origin ?? inferOrigin(freightRequests, freight, subscriptionsOf, search);
  if (from === undefined) return { from, found: undefined };
  const carried = freight
    .filter((reference) => sameOrigin(reference.origin, from))
    .flatMap((reference) => search.contents(reference) ?? []);
  return { from, found: carried.find(search.matches) };
}

/** The only origin that could bring it, going by subscriptions: the freight may not hold all of it yet. */
function inferOrigin<Artifact>(
  freightRequests: readonly FreightRequest[],
  freight: readonly FreightReference[],
  subscriptionsOf: SubscriptionsOf | undefined,
  search: Search<Artifact>,
): FreightOrigin | undefined {
  let inferred: FreightOrigin | undefined;
  for (const origin of requestedOrigins(freightRequests, freight)) {
    const subscriptions = subscriptionsOf?.(origin.name);
    const ways =
      subscriptions === undefined
        ? Number(carries(freight, origin, search))
        : subscriptions.filter(search.subscribes).length;
    if (ways === 0) continue;
    if (ways > 1 || inferred !== undefined) {
      const reason = `multiple requested Freight could potentially provide ${search.what}`;
      throw new StepFailure("config", `${reason}: ${search.advice}`);
    }
    inferred = origin;
  }
  return inferred;
}

/** Where nothing says what is requested, all that is there counts as requested. */
function requestedOrigins(
  freightRequests: readonly FreightRequest[],
  freight: readonly FreightReference[],
): FreightOrigin[] {
  if (freightRequests.length > 0) return freightRequests.map(({ origin }) => origin);
  const origins = new Map(freight.map(({ origin }) => [`${origin.kind}/${origin.name}`, origin]));
  return [...origins.values()];
}

function carries<Artifact>(
  freight: readonly FreightReference[],
  origin: FreightOrigin,
  search: Search<Artifact>,
): boolean {
  return freight.some(
    (reference) =>
      sameOrigin(reference.origin, origin) && (search.contents(reference) ?? []).some(search.matches),
  );
}

function sameOrigin(one: FreightOrigin, other: FreightOrigin): boolean {
  return one.kind === other.kind && one.name === other.name;
}
