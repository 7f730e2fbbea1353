import type { ImageFacts, Wanted } from "#core/artifacts/image-facts.ts";
import { annotationsFor, hasPlatform, UnknownArtifactError } from "#core/artifacts/image-facts.ts";
import type { Freshness, ImageMemory } from "#core/artifacts/image-memory.ts";
import { inParallel } from "#core/artifacts/in-parallel.ts";
import type { Platform } from "#core/artifacts/platform.ts";
import { parsePlatform } from "#core/artifacts/platform.ts";
import type { LeftOut, Rule, Selection } from "#core/artifacts/selection.ts";
import { applyRules, beyondLimit, firstReason, limitOf } from "#core/artifacts/selection.ts";
import { tagRules, versionRules } from "#core/artifacts/tag-rules.ts";
import { newestVersionFirst, parseVersion } from "#core/artifacts/version.ts";
import { StepFailure } from "#core/failure.ts";
import type { OciRepository } from "#core/oci/repository.ts";
import type { DiscoveredImageReference, ImageSubscription } from "#core/resources/warehouse.ts";

/** Where the images of a subscription are read. */
export interface ImageSource {
  repository: OciRepository;
  memory: ImageMemory;
  /** The memory's name for the repository as seen with the credentials at hand. */
  scope: string;
  freshness: Freshness;
  /** The best image's time is wanted also where the strategy does without. */
  readsTimes?: boolean;
}

/** The images that the subscription's strategy chooses, the best first. */
export async function selectImages(
  subscription: ImageSubscription,
  source: ImageSource,
): Promise<Selection<DiscoveredImageReference>> {
  const platform = subscription.platform ? parsePlatform(subscription.platform) : undefined;
  switch (subscription.imageSelectionStrategy) {
    case "Digest":
      return selectDigest(subscription, source, platform);
    case "NewestBuild":
      return selectNewestBuild(subscription, source, platform);
    case "SemVer":
    case "Lexical":
      return selectByTag(subscription, source, platform);
    default:
      return subscription.imageSelectionStrategy satisfies never;
  }
}

/** Whether the subscription could take this tag, as far as its name tells; used by webhooks. */
export function couldTakeTag(subscription: ImageSubscription, tag: string): boolean {
  if (subscription.imageSelectionStrategy === "Digest") return tag === subscription.constraint;
  return firstReason(tag, rulesFor(subscription)) === undefined;
}

function rulesFor(subscription: ImageSubscription): Rule[] {
  const rules = tagRules(subscription);
  if (subscription.imageSelectionStrategy !== "SemVer") return rules;
  const { strictSemvers, constraint } = subscription;
  return [...rules, ...versionRules({ strict: strictSemvers, constraint, field: "constraint" })];
}

async function selectDigest(
  { constraint: tag = "" }: ImageSubscription,
  source: ImageSource,
  platform: Platform | undefined,
): Promise<Selection<DiscoveredImageReference>> {
  if (tag === "") throw new StepFailure("config", "Strategy Digest needs a constraint: the tag to follow");
  const found = await look(source, tag, source.freshness.listMs, platform, { createdAt: true });
  return "reason" in found
    ? { chosen: [], leftOut: [{ name: tag, reason: found.reason }] }
    : { chosen: [toReference(tag, found.facts, platform)], leftOut: [] };
}

async function selectByTag(
  subscription: ImageSubscription,
  source: ImageSource,
  platform: Platform | undefined,
): Promise<Selection<DiscoveredImageReference>> {
  const { chosen: tags, leftOut } = await eligibleTags(subscription, source);
  const sorted = subscription.imageSelectionStrategy === "SemVer" ? byVersion(tags) : byName(tags);
  const limit = limitOf(subscription);
  const maxAgeOf = rationed(subscription, source, 1);
  const chosen: DiscoveredImageReference[] = [];
  for (const [at, tag] of sorted.entries()) {
    if (chosen.length >= limit) {
      leftOut.push(...sorted.slice(at).map((name) => ({ name, reason: beyondLimit(limit) })));
      break;
    }
    const isBest = chosen.length === 0;
    const createdAt = isBest && (source.readsTimes ?? false);
    const found = await look(source, tag, maxAgeOf(tag, isBest), platform, { createdAt });
    if ("reason" in found) leftOut.push({ name: tag, reason: found.reason });
    else chosen.push(toReference(tag, found.facts, platform));
  }
  return { chosen, leftOut };
}

/** Reads all eligible images: there is no other way to know the newest. */
async function selectNewestBuild(
  subscription: ImageSubscription,
  source: ImageSource,
  platform: Platform | undefined,
): Promise<Selection<DiscoveredImageReference>> {
  const { chosen: tags, leftOut } = await eligibleTags(subscription, source);
  const images: { tag: string; facts: ImageFacts }[] = [];
  const maxAgeOf = rationed(subscription, source, rechecksOfBuilds);
  await inParallel(tags, 8, async (tag) => {
    const found = await look(source, tag, maxAgeOf(tag, false), platform, { createdAt: true });
    if ("reason" in found) leftOut.push({ name: tag, reason: found.reason });
    else images.push({ tag, facts: found.facts });
  });
  images.sort((one, other) => builtAt(other.facts) - builtAt(one.facts) || descending(one.tag, other.tag));
  const limit = limitOf(subscription);
  leftOut.push(...images.slice(limit).map(({ tag }) => ({ name: tag, reason: beyondLimit(limit) })));
  return {
    chosen: images.slice(0, limit).map(({ tag, facts }) => toReference(tag, facts, platform)),
    leftOut,
  };
}

async function eligibleTags(
  subscription: ImageSubscription,
  { memory, scope, repository, freshness }: ImageSource,
): Promise<Selection<string>> {
  // Read before the registry is asked, so that a mistake in them costs no request.
  const rules = rulesFor(subscription);
  return applyRules(await memory.tags(scope, repository, freshness.listMs), rules);
}

/** Tags that are asked for once more in a look by strategy NewestBuild, where any might be the newest now. */
const rechecksOfBuilds = 20;

/**
 * Gives the age that what is known of a tag may have. Tags of versions hardly ever move: each is asked for
 * again after some time, the best one sooner, but only so many in one look; the next ones follow in the next.
 */
function rationed(
  { cacheByTag }: ImageSubscription,
  { freshness, memory, scope }: ImageSource,
  rechecks: number,
): (tag: string, isBest: boolean) => number {
  let left = freshness.tagMs === 0 ? Number.POSITIVE_INFINITY : rechecks;
  return (tag, isBest) => {
    const limit = isBest ? freshness.bestMs : freshness.tagMs;
    const isStale = (memory.ageOf(scope, tag) ?? 0) >= limit;
    if (cacheByTag || !isStale || left <= 0) return Number.POSITIVE_INFINITY;
    left--;
    return limit;
  };
}

/** The image behind a tag, or why it is left out. */
async function look(
  { memory, scope, repository }: ImageSource,
  tag: string,
  maxAgeMs: number,
  platform: Platform | undefined,
  { createdAt }: Pick<Wanted, "createdAt">,
): Promise<{ facts: ImageFacts } | Pick<LeftOut, "reason">> {
  try {
    const wanted = { createdAt, platforms: platform !== undefined };
    const facts = await memory.image(scope, repository, tag, maxAgeMs, wanted);
    if (facts === undefined) return { reason: "does not exist" };
    if (platform === undefined || hasPlatform(facts, platform)) return { facts };
    const { os, architecture, variant } = platform;
    return { reason: `is not for platform ${[os, architecture, variant].filter(Boolean).join("/")}` };
  } catch (error) {
    if (error instanceof UnknownArtifactError) return { reason: error.message };
    throw error;
  }
}

function toReference(
  tag: string,
  facts: ImageFacts,
  platform: Platform | undefined,
): DiscoveredImageReference {
  const annotations = annotationsFor(facts, platform);
  return {
    tag,
    digest: facts.digest,
    ...(annotations === undefined ? {} : { annotations: { ...annotations } }),
    ...(facts.createdAt === undefined ? {} : { createdAt: toUtc(facts.createdAt) }),
  };
}

/** As Kubernetes writes times: in UTC, to the second. */
function toUtc(time: string): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, "Z");
}

function byVersion(tags: readonly string[]): string[] {
  return tags
    .flatMap((tag) => parseVersion(tag) ?? [])
    .sort(newestVersionFirst)
    .map(({ original }) => original);
}

function byName(tags: readonly string[]): string[] {
  return [...tags].sort(descending);
}

/** By code units, as Go compares by bytes; tags are ASCII. */
function descending(one: string, other: string): number {
  return one === other ? 0 : one < other ? 1 : -1;
}

function builtAt({ createdAt }: ImageFacts): number {
  return createdAt === undefined ? 0 : Date.parse(createdAt);
}
