import type { Platform } from "#core/artifacts/platform.ts";
import { isSamePlatform } from "#core/artifacts/platform.ts";
import type { ImageConfig, ImageIndex, ImageManifest } from "#core/oci/manifest.ts";
import type { Manifest, OciRepository } from "#core/oci/repository.ts";

type Annotations = Readonly<Record<string, string>>;

/** What discovery wants to know of an image; the same for ever, as a digest names it. */
export interface ImageFacts {
  digest: string;
  annotations: Annotations | undefined;
  platforms: readonly (Platform & { annotations: Annotations | undefined })[];
  /** RFC 3339; undefined when nothing tells, or when it was not asked for. */
  createdAt: string | undefined;
}

/** What must be found out; each costs requests, so only what is needed is asked for. */
export interface Wanted {
  createdAt: boolean;
  platforms: boolean;
}

/** Reads an image or an index of images. `load` gives the facts of one of an index's images by its digest. */
export async function factsOf(
  repository: OciRepository,
  manifest: Manifest,
  wanted: Wanted,
  load: (digest: string) => Promise<ImageFacts>,
): Promise<ImageFacts> {
  switch (manifest.kind) {
    case "index":
      return factsOfIndex(manifest.digest, manifest.index, wanted, load);
    case "image":
      return factsOfImage(repository, manifest.digest, manifest.image, wanted);
    case "unknown":
      throw new UnknownArtifactError(`is of a kind that is not known: "${manifest.mediaType}"`);
    default:
      return manifest satisfies never;
  }
}

/** The tag names something that is not an image. The message is a predicate. */
export class UnknownArtifactError extends Error {
  override name = "UnknownArtifactError";
}

async function factsOfIndex(
  digest: string,
  { manifests, annotations }: ImageIndex,
  wanted: Wanted,
  load: (digest: string) => Promise<ImageFacts>,
): Promise<ImageFacts> {
  const images = manifests.flatMap(({ platform, ...entry }) =>
    platform && isKnown(platform.os) && isKnown(platform.architecture) ? [{ ...entry, platform }] : [],
  );
  if (images.length === 0) throw new UnknownArtifactError("is an index without images");
  let createdAt = creationIn(annotations);
  if (createdAt === undefined && wanted.createdAt) {
    const created: string[] = [];
    for (const image of images) {
      const found = creationIn(image.annotations) ?? (await load(image.digest)).createdAt;
      if (found !== undefined) created.push(found);
    }
    createdAt = latest(created);
  }
  const platforms = images.map(({ platform, annotations }) => ({
    ...platform,
    annotations: annotations ?? undefined,
  }));
  return { digest, annotations: annotations ?? undefined, platforms, createdAt };
}

/** Attestations and signatures stand in an index as images of an unknown platform. */
function isKnown(part: string): boolean {
  return part !== "" && part !== "unknown";
}

async function factsOfImage(
  repository: OciRepository,
  digest: string,
  { annotations, config }: ImageManifest,
  wanted: Wanted,
): Promise<ImageFacts> {
  const annotated = creationIn(annotations);
  const facts = { digest, annotations: annotations ?? undefined, platforms: [], createdAt: annotated };
  if (!wanted.platforms && (annotated !== undefined || !wanted.createdAt)) return facts;
  const told = await repository.config(config.digest);
  const platforms = told.os === "" ? [] : [{ ...platformOf(told), annotations: undefined }];
  return { ...facts, platforms, createdAt: annotated ?? creationOf(told) };
}

function platformOf({ os, architecture, variant }: ImageConfig): Platform {
  return { os, architecture, variant };
}

/**
 * A label may come from the base image, and tools write fixed dates into configurations: each can only be
 * too early, so the later of the two is nearer to the truth.
 */
function creationOf({ created, config }: ImageConfig): string | undefined {
  return latest([creationIn(config?.Labels), readTime(created)].filter((time) => time !== undefined));
}

const creationKeys = ["org.opencontainers.image.created", "org.label-schema.build-date"];

function creationIn(metadata: Annotations | null | undefined): string | undefined {
  for (const key of creationKeys) {
    const time = readTime(metadata?.[key]);
    if (time !== undefined) return time;
  }
  return undefined;
}

function readTime(text: string | null | undefined): string | undefined {
  if (!text || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/.test(text)) return undefined;
  return Number.isNaN(Date.parse(text)) ? undefined : text;
}

function latest(times: readonly string[]): string | undefined {
  return times.reduce<string | undefined>(
    (newest, time) => (newest === undefined || Date.parse(time) > Date.parse(newest) ? time : newest),
    undefined,
  );
}

/** The annotations of the image, those of its entry for the platform added to them. */
export function annotationsFor(facts: ImageFacts, platform: Platform | undefined): Annotations | undefined {
  const own = platform && facts.platforms.find((entry) => isSamePlatform(entry, platform))?.annotations;
  if (facts.annotations === undefined && own === undefined) return undefined;
  return { ...facts.annotations, ...own };
}

export function hasPlatform(facts: ImageFacts, platform: Platform): boolean {
  return facts.platforms.some((entry) => isSamePlatform(entry, platform));
}
