import { StepFailure } from "#core/failure.ts";
import { type ImageRepository, parseImageRepository } from "#core/oci/image-url.ts";

/** One version of one artifact in a registry. Either the tag or the digest is there. */
export interface ArtifactReference extends ImageRepository {
  /** What the reference was written as, without `oci://`. */
  text: string;
  tag: string | undefined;
  /** `sha256:…` */
  digest: string | undefined;
}

const tagged = /^(.*):([\w.-]{1,128})$/;
const pinned = /^([^@]*)@(sha256:[0-9a-f]{64})$/;

/** Reads `registry/repository:tag` or `registry/repository@sha256:…`; undefined when it is neither. */
export function parseReference(reference: string): ArtifactReference | undefined {
  const text = reference.replace(/^oci:\/\//, "");
  const [, address, version] = pinned.exec(text) ?? tagged.exec(text) ?? [];
  // Without a version an address would be taken for one of a host with a port.
  if (address === undefined || version === undefined || address.endsWith(":")) return undefined;
  const repository = parseImageRepository(address);
  if (repository === undefined) return undefined;
  const isDigest = version.includes(":");
  return {
    ...repository,
    text,
    tag: isDigest ? undefined : version,
    digest: isDigest ? version : undefined,
  };
}

/** What a registry is asked for: the tag or the digest. */
export function versionOf({ tag, digest, text }: ArtifactReference): string {
  const version = digest ?? tag;
  if (version === undefined) throw new StepFailure("refused", `"${text}" has neither a tag nor a digest`);
  return version;
}

/** The repository's address, as credentials are looked up by it. */
export function repositoryUrl({ registry, repository }: ImageRepository): string {
  return `${registry}/${repository}`;
}
