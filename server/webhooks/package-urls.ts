import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";

/** Media types that only container images have. An OCI manifest's own type is not among them: charts have it too. */
const imageTypes: ReadonlySet<string> = new Set([
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.config.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.container.image.v1+json",
]);

/**
 * The address of a repository in a registry as subscriptions are compared by: as that of an image, of a chart, or
 * of both where the media type does not tell.
 */
export function packageUrls(repoURL: string, mediaType: string): string[] {
  if (repoURL === "") return [];
  if (mediaType.startsWith("application/vnd.cncf.helm")) return [normalizeChartUrl(repoURL)];
  if (imageTypes.has(mediaType)) return [normalizeImageUrl(repoURL)];
  return [...new Set([normalizeImageUrl(repoURL), normalizeChartUrl(repoURL)])];
}
