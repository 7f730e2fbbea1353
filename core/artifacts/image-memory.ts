import type { ImageFacts, Wanted } from "#core/artifacts/image-facts.ts";
import { factsOf } from "#core/artifacts/image-facts.ts";
import { createBoundedMap } from "#core/bounded-map.ts";
import { StepFailure } from "#core/failure.ts";
import { createKeyedLock } from "#core/keyed-lock.ts";
import type { OciRepository } from "#core/oci/repository.ts";

/** How old an answer may be and still be taken, in milliseconds. */
export interface Freshness {
  /** Of the list of tags, and of what the one tag of strategy Digest stands for. */
  listMs: number;
  /** Of what the best tag stands for. */
  bestMs: number;
  /** Of what the other tags stand for. */
  tagMs: number;
}

/**
 * What registries have said, shared by all Warehouses: a repository is asked once however many subscribe to
 * it, and an image's facts are read once. Everything is bounded; what is forgotten is asked again.
 */
export interface ImageMemory {
  /** `scope` tells apart who may see what: the repository with the credentials it is read with. */
  tags(scope: string, repository: OciRepository, maxAgeMs: number): Promise<readonly string[]>;
  /** How long ago the registry last said what the tag stands for; undefined when that is not known. */
  ageOf(scope: string, tag: string): number | undefined;
  /** The facts behind a tag; undefined when the tag does not exist. */
  image(
    scope: string,
    repository: OciRepository,
    tag: string,
    maxAgeMs: number,
    wanted: Wanted,
  ): Promise<ImageFacts | undefined>;
}

interface Answer<T> {
  at: number;
  value: T;
}

const maxListedTags = 1_000_000;
const maxTags = 100_000;
const maxImages = 20_000;

export function createImageMemory(now: () => number = Date.now): ImageMemory {
  const lists = createBoundedMap<Answer<readonly string[]>>(maxListedTags, ({ value }) => value.length + 1);
  const digests = createBoundedMap<Answer<string>>(maxTags);
  const images = createBoundedMap<ImageFacts>(maxImages);
  // The second to ask finds the answer of the first.
  const lock = createKeyedLock();

  /** Facts that were read with more than is wanted now will do. */
  function knownFacts(digest: string, { createdAt, platforms }: Wanted): ImageFacts | undefined {
    const richer = [createdAt, true].flatMap((times) =>
      [platforms, true].map((all) => [times, all] as const),
    );
    for (const [times, all] of richer) {
      const known = images.get(factsKey(digest, { createdAt: times, platforms: all }));
      if (known !== undefined) return known;
    }
    return undefined;
  }

  async function byDigest(repository: OciRepository, digest: string, wanted: Wanted): Promise<ImageFacts> {
    const known = knownFacts(digest, wanted);
    if (known !== undefined) return known;
    const manifest = await repository.manifest(digest);
    if (manifest === undefined) {
      throw new StepFailure("errored", `Image "${repository.name}@${digest}" does not exist`);
    }
    return keepFacts(repository, manifest, wanted);
  }

  async function keepFacts(
    repository: OciRepository,
    manifest: NonNullable<Awaited<ReturnType<OciRepository["manifest"]>>>,
    wanted: Wanted,
  ): Promise<ImageFacts> {
    const facts = await factsOf(repository, manifest, wanted, (digest) =>
      byDigest(repository, digest, wanted),
    );
    images.set(factsKey(facts.digest, wanted), facts);
    return facts;
  }

  return {
    tags: (scope, repository, maxAgeMs) =>
      lock.run(scope, async () => {
        const known = lists.get(scope);
        if (known !== undefined && now() - known.at < maxAgeMs) return known.value;
        const value = await repository.listTags();
        lists.set(scope, { at: now(), value });
        return value;
      }),
    ageOf(scope, tag) {
      const known = digests.get(`${scope} ${tag}`);
      return known && now() - known.at;
    },
    image: (scope, repository, tag, maxAgeMs, wanted) =>
      lock.run(`${scope} ${tag}`, async () => {
        const key = `${scope} ${tag}`;
        const known = digests.get(key);
        if (known !== undefined) {
          const isFresh = now() - known.at < maxAgeMs;
          const digest = isFresh ? known.value : await repository.digestOf(tag);
          if (digest === undefined) return undefined;
          if (!isFresh) digests.set(key, { at: now(), value: digest });
          return byDigest(repository, digest, wanted);
        }
        const manifest = await repository.manifest(tag);
        if (manifest === undefined) return undefined;
        const facts = await keepFacts(repository, manifest, wanted);
        digests.set(key, { at: now(), value: facts.digest });
        return facts;
      }),
  };
}

function factsKey(digest: string, { createdAt, platforms }: Wanted): string {
  return `${digest} ${createdAt} ${platforms}`;
}
