import { createHash } from "node:crypto";
import { StepFailure } from "#core/failure.ts";
import { type BlobSource, copyBlob } from "#core/oci/blob.ts";
import { type Descriptor, ImageIndex, ImageManifest, imageTypes, indexTypes } from "#core/oci/manifest.ts";
import { parseContent, type RawManifest, readRawManifest } from "#core/oci/raw-manifest.ts";
import type { RegistrySession } from "#core/oci/registry-client.ts";

/** An artifact with all that it names: an image, or an index with its images. */
export type Artifact =
  | { kind: "image"; raw: RawManifest; image: ImageManifest }
  | { kind: "index"; raw: RawManifest; children: Artifact[] };

/** What is added to the manifests on the way; what a manifest has under the same name is replaced. */
export interface AddedAnnotations {
  index: Readonly<Record<string, string>>;
  manifest: Readonly<Record<string, string>>;
}

/** Indexes may stand in indexes; more levels than this are nobody's. */
const maxDepth = 4;

/** Reads an artifact's manifests, and none of its blobs. Undefined when it is not there. */
export async function readArtifact(
  session: RegistrySession,
  reference: string,
  depth = 0,
): Promise<Artifact | undefined> {
  const raw = await readRawManifest(session, reference);
  if (raw === undefined) return undefined;
  if (imageTypes.includes(raw.mediaType)) {
    return { kind: "image", raw, image: parseContent(session, reference, ImageManifest, raw.content) };
  }
  if (!indexTypes.includes(raw.mediaType) || depth === maxDepth) {
    throw new StepFailure(
      "refused",
      `"${session.name}" has an artifact of unsupported media type "${raw.mediaType}" at ${reference}`,
    );
  }
  const children: Artifact[] = [];
  for (const { digest } of parseContent(session, reference, ImageIndex, raw.content).manifests) {
    const child = await readArtifact(session, digest, depth + 1);
    if (child === undefined)
      throw new StepFailure("errored", `"${session.name}" lacks ${digest} of its index`);
    children.push(child);
  }
  return { kind: "index", raw, children };
}

/** Bytes of the configurations and layers, as they are stored; what images share counts for each. */
export function artifactSize(artifact: Artifact): number {
  return artifact.kind === "index"
    ? artifact.children.reduce((sum, child) => sum + artifactSize(child), 0)
    : blobsOf(artifact.image).reduce((sum, { size }) => sum + size, 0);
}

/** Layers that licences forbid to hand on lie elsewhere, and stay there. */
function blobsOf({ config, layers }: ImageManifest): Descriptor[] {
  return [config, ...(layers ?? [])].filter(
    ({ mediaType }) => !/foreign|\.nondistributable\./.test(mediaType),
  );
}

/**
 * Puts an artifact into a repository under a tag and returns its digest there. Blobs go first and the tag
 * last, so that nobody ever finds it incomplete. `source` is undefined when the repository has the blobs.
 */
export async function pushArtifact(
  artifact: Artifact,
  source: BlobSource | undefined,
  target: RegistrySession,
  tag: string,
  annotations: AddedAnnotations,
): Promise<string> {
  const { digest } = await push(artifact, source, target, tag, annotations);
  return digest;
}

interface Pushed {
  digest: string;
  size: number;
}

/** `tag` is undefined for an image of an index, which goes by its digest. */
async function push(
  artifact: Artifact,
  source: BlobSource | undefined,
  target: RegistrySession,
  tag: string | undefined,
  annotations: AddedAnnotations,
): Promise<Pushed> {
  if (artifact.kind === "image") {
    if (source !== undefined) {
      for (const blob of blobsOf(artifact.image)) await copyBlob(source, target, blob);
    }
    return await putManifest(target, tag, annotate(artifact.raw, annotations.manifest));
  }
  const pushed = new Map<string, Pushed>();
  for (const child of artifact.children) {
    pushed.set(child.raw.digest, await push(child, source, target, undefined, annotations));
  }
  return await putManifest(target, tag, withChildren(annotate(artifact.raw, annotations.index), pushed));
}

async function putManifest(
  target: RegistrySession,
  tag: string | undefined,
  { digest, mediaType, bytes }: RawManifest,
): Promise<Pushed> {
  const response = await target.send(`/manifests/${tag ?? digest}`, {
    method: "PUT",
    contentType: mediaType,
    body: bytes,
  });
  await response.body?.cancel();
  if (response.ok) return { digest, size: bytes.length };
  throw new StepFailure(
    "errored",
    `"${target.name}" does not take manifests: it answered ${response.status}`,
  );
}

/** The bytes to push: the very same ones when nothing is added, so that the digest stays. */
function annotate(raw: RawManifest, added: Readonly<Record<string, string>>): RawManifest {
  if (Object.keys(added).length === 0) return raw;
  const content = raw.content as { annotations?: Record<string, string> | null };
  return encode(raw, { ...content, annotations: { ...content.annotations, ...added } });
}

/** The index with the digests that its images have now. */
function withChildren(index: RawManifest, pushed: ReadonlyMap<string, Pushed>): RawManifest {
  const content = index.content as { manifests: Pushed[] };
  if (content.manifests.every(({ digest }) => pushed.get(digest)?.digest === digest)) return index;
  const manifests = content.manifests.map((entry) => ({ ...entry, ...pushed.get(entry.digest) }));
  return encode(index, { ...content, manifests });
}

function encode({ mediaType }: RawManifest, content: object): RawManifest {
  const bytes = Buffer.from(JSON.stringify(content));
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { mediaType, content, bytes, digest };
}
