import { StepFailure } from "#core/failure.ts";
import {
  acceptedManifests,
  ImageConfig,
  ImageIndex,
  ImageManifest,
  imageTypes,
  indexTypes,
} from "#core/oci/manifest.ts";
import { checkedDigest, isDigest, parseContent, parseJson, readRawManifest } from "#core/oci/raw-manifest.ts";
import type { RegistryClient, RegistrySession, RepositoryAccess } from "#core/oci/registry-client.ts";

export type Manifest =
  | { kind: "index"; digest: string; index: ImageIndex }
  | { kind: "image"; digest: string; image: ImageManifest }
  /** Something else, such as an artifact of an older format. */
  | { kind: "unknown"; digest: string; mediaType: string };

/** Reads one repository of a registry. What is not there is undefined; other trouble is thrown as StepFailure. */
export interface OciRepository {
  readonly name: string;
  listTags(): Promise<string[]>;
  /** The digest behind a tag, by a request without a body where the registry allows it. */
  digestOf(tag: string): Promise<string | undefined>;
  /** `reference` is a tag or a digest; what comes for a digest is checked against it. */
  manifest(reference: string): Promise<Manifest | undefined>;
  config(digest: string): Promise<ImageConfig>;
}

export function openRepository(
  client: RegistryClient,
  repoURL: string,
  access: RepositoryAccess = {},
): OciRepository {
  const session = client.session(repoURL, access);
  return {
    name: session.name,
    listTags: () => listTags(session),
    digestOf: (tag) => digestOf(session, tag),
    manifest: (reference) => readManifest(session, reference),
    config: (digest) => readConfig(session, digest),
  };
}

const maxTags = 1_000_000;
const maxPages = 10_000;
// Large pages cost few requests; registries cap what they give, and some refuse a number above their cap.
const pageSizes = [10_000, 1_000, undefined];

async function listTags(session: RegistrySession): Promise<string[]> {
  for (const size of pageSizes) {
    try {
      return await listTagsInPages(session, size);
    } catch (error) {
      const isPageTooLarge = error instanceof StepFailure && error.output?.status === 400;
      if (!isPageTooLarge || size === undefined) throw error;
    }
  }
  return [];
}

async function listTagsInPages(session: RegistrySession, size: number | undefined): Promise<string[]> {
  const tags: string[] = [];
  let path = size === undefined ? "/tags/list" : `/tags/list?n=${size}`;
  const seen = new Set<string>();
  while (!seen.has(path)) {
    seen.add(path);
    const response = await session.send(path);
    if (response.status === 404) {
      await response.body?.cancel();
      throw new StepFailure("errored", `Image repository "${session.name}" does not exist`);
    }
    const page = (await response.json().catch(() => undefined)) as { tags?: unknown } | undefined;
    if (page === undefined) {
      throw new StepFailure(
        "errored",
        `The list of tags of "${session.name}" cannot be read: it is not JSON`,
      );
    }
    if (Array.isArray(page.tags)) tags.push(...page.tags.filter((tag) => typeof tag === "string"));
    if (tags.length > maxTags || seen.size > maxPages) {
      const bound = `${maxTags} tags or ${maxPages} pages of them`;
      throw new StepFailure("errored", `Image repository "${session.name}" has more than ${bound}`);
    }
    const next = nextPage(response);
    if (next === undefined) break;
    path = next;
  }
  return tags;
}

/** The next page by the Link header, as a whole URL. */
function nextPage(response: Response): string | undefined {
  const link = /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(response.headers.get("link") ?? "")?.[1];
  return link === undefined ? undefined : new URL(link, response.url).href;
}

async function digestOf(session: RegistrySession, tag: string): Promise<string | undefined> {
  const response = await session.send(`/manifests/${tag}`, { method: "HEAD", accept: acceptedManifests });
  await response.body?.cancel();
  if (response.status === 404) return undefined;
  const digest = response.headers.get("docker-content-digest");
  if (digest !== null && isDigest(digest)) return digest;
  return (await readManifest(session, tag))?.digest;
}

async function readManifest(session: RegistrySession, reference: string): Promise<Manifest | undefined> {
  const raw = await readRawManifest(session, reference);
  if (raw === undefined) return undefined;
  const { digest, mediaType, content } = raw;
  if (indexTypes.includes(mediaType)) {
    return { kind: "index", digest, index: parseContent(session, reference, ImageIndex, content) };
  }
  if (imageTypes.includes(mediaType)) {
    return { kind: "image", digest, image: parseContent(session, reference, ImageManifest, content) };
  }
  return { kind: "unknown", digest, mediaType };
}

/** The image behind a reference; of an index, the one for the platform. Undefined when it is not there. */
export async function readImage(
  session: RegistrySession,
  reference: string,
  platform: { os: string; architecture: string },
): Promise<ImageManifest | undefined> {
  const manifest = await readManifest(session, reference);
  if (manifest === undefined || manifest.kind === "image") return manifest?.image;
  if (manifest.kind === "unknown") {
    const what = `What "${session.name}" has at ${reference}`;
    throw new StepFailure("errored", `${what} is of a kind that is not known: "${manifest.mediaType}"`);
  }
  const { os, architecture } = platform;
  // An entry that names no platform is taken for the usual one.
  const chosen = manifest.index.manifests.find(
    (entry) => !entry.platform || (entry.platform.os === os && entry.platform.architecture === architecture),
  );
  if (chosen !== undefined) return await readImage(session, chosen.digest, platform);
  throw new StepFailure(
    "errored",
    `The index that "${session.name}" has at ${reference} names no image for ${os}/${architecture}`,
  );
}

async function readConfig(session: RegistrySession, digest: string): Promise<ImageConfig> {
  const response = await session.send(`/blobs/${digest}`);
  if (response.status === 404) {
    await response.body?.cancel();
    throw new StepFailure("errored", `Image repository "${session.name}" lacks the configuration ${digest}`);
  }
  const body = Buffer.from(await response.arrayBuffer());
  checkedDigest(session, digest, body);
  return parseContent(session, digest, ImageConfig, parseJson(session, digest, body));
}
