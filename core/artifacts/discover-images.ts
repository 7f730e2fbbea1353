import type { CacheByTagPolicy, DiscoveryDeps, Found } from "#core/artifacts/discovery-deps.ts";
import type { Freshness } from "#core/artifacts/image-memory.ts";
import { selectImages } from "#core/artifacts/image-selection.ts";
import { StepFailure } from "#core/failure.ts";
import { credentialsKey } from "#core/oci/authorizer.ts";
import { normalizeImageUrl } from "#core/oci/image-url.ts";
import { openRepository } from "#core/oci/repository.ts";
import type { ImageSubscription } from "#core/resources/warehouse.ts";

/** Tags of versions hardly ever move: the best is looked at every third time, the others once an hour. */
const looksPerBest = 3;
const otherTagsMs = 60 * 60_000;

/** `readsTimes` has the time of the best image read, whatever the strategy. */
export async function discoverImages(
  written: ImageSubscription,
  name: string | undefined,
  deps: DiscoveryDeps,
  { maxAgeMs, readsTimes }: { maxAgeMs: number; readsTimes: boolean },
): Promise<Found> {
  const subscription = { ...written, cacheByTag: mayCacheByTag(written, deps.cacheByTagPolicy) };
  const { repoURL, insecureSkipTLSVerify, platform } = subscription;
  const credentials = await deps.credentials.find("image", repoURL);
  const address = normalizeImageUrl(repoURL);
  const access = { credentials, insecureSkipTLSVerify, signal: deps.signal };
  const { chosen, leftOut } = await selectImages(subscription, {
    repository: openRepository(deps.registries, address, access),
    memory: deps.images,
    scope: `${address} ${credentialsKey(credentials)}`,
    freshness: freshnessFor(subscription, maxAgeMs),
    readsTimes,
  });
  const result = {
    repoURL,
    ...(platform ? { platform } : {}),
    references: chosen,
    ...(name === undefined ? {} : { subscriptionName: name }),
  };
  return { kind: "image", result, chosen: chosen.map(({ tag }) => tag), leftOut, unchanged: false };
}

/** Somebody who asks for a look wants the best anew; where any tag may have become the best, all of them. */
function freshnessFor({ imageSelectionStrategy }: ImageSubscription, maxAgeMs: number): Freshness {
  const isAsked = maxAgeMs === 0;
  return {
    listMs: maxAgeMs,
    bestMs: maxAgeMs * looksPerBest,
    tagMs:
      isAsked && imageSelectionStrategy === "NewestBuild"
        ? 0
        : Math.max(maxAgeMs * looksPerBest, otherTagsMs),
  };
}

function mayCacheByTag(
  { cacheByTag = false, imageSelectionStrategy }: ImageSubscription,
  policy: CacheByTagPolicy,
): boolean {
  switch (policy) {
    case "Allow":
      return cacheByTag;
    case "Forbid":
      return false;
    case "Force":
      return true;
    case "Require":
      if (cacheByTag || imageSelectionStrategy === "Digest") return cacheByTag;
      throw new StepFailure(
        "config",
        "This daemon requires cacheByTag of image subscriptions: set it, if the tags never move",
      );
    default:
      return policy satisfies never;
  }
}
