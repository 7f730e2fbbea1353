const dockerHubHosts: readonly string[] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/** An image repository's address in its two parts; Docker Hub's host is `index.docker.io`. */
export interface ImageRepository {
  /** Host, with its port if it has one. */
  registry: string;
  /** Path in the registry, `library/` included for Docker Hub's official images. */
  repository: string;
}

/**
 * Splits an image repository's address (a tag or digest after it is dropped); undefined when it is none.
 * The first segment is a host when it has a dot or a port, or is `localhost`.
 */
export function parseImageRepository(repoURL: string): ImageRepository | undefined {
  const address = withoutVersion(repoURL);
  const slash = address.indexOf("/");
  const first = slash === -1 ? "" : address.slice(0, slash);
  const hasHost = first !== "" && (/[.:]/.test(first) || first === "localhost");
  const host = hasHost ? first : "index.docker.io";
  const path = hasHost ? address.slice(slash + 1) : address;
  if (!/^[a-z0-9_.\-/]{2,255}$/.test(path) || !/^[A-Za-z0-9.\-[\]:_]+$/.test(host)) return undefined;
  const registry = host === "docker.io" ? "index.docker.io" : host;
  const isOfficial = registry === "index.docker.io" && !path.includes("/");
  return { registry, repository: isOfficial ? `library/${path}` : path };
}

/** Kargo's canonical form of an image repository's address; what is no such address is returned as it is. */
export function normalizeImageUrl(repoURL: string): string {
  const parsed = parseImageRepository(printable(repoURL).toLowerCase());
  if (parsed === undefined) return repoURL;
  const { registry, repository } = parsed;
  return dockerHubHosts.includes(registry)
    ? repository.replace(/^library\//, "")
    : `${registry}/${repository}`;
}

/** Kargo's canonical form of a chart repository's address: without `oci://`, Docker Hub's host left out. */
export function normalizeChartUrl(repoURL: string): string {
  return normalizeImageUrl(
    printable(repoURL)
      .toLowerCase()
      .replace(/^oci:\/\//, ""),
  );
}

/** Without the invisible characters that come along when an address is copied. */
function printable(url: string): string {
  return url.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "").trim();
}

function withoutVersion(repoURL: string): string {
  return repoURL.replace(/@[a-z0-9+._-]+:[0-9a-f]+$/, "").replace(/:[\w.-]{1,128}$/, "");
}
