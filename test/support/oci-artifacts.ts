import type { Descriptor, DockerRegistry } from "#test/support/docker-registry.ts";

const imageType = "application/vnd.oci.image.manifest.v1+json";
const indexType = "application/vnd.oci.image.index.v1+json";
export const layerType = "application/vnd.oci.image.layer.v1.tar+gzip";
export const chartType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/** Pushes an image of the given layers, as media type and content. */
export async function pushLayers(
  registry: DockerRegistry,
  repository: string,
  tag: string | undefined,
  layers: readonly (readonly [mediaType: string, content: string])[],
  annotations?: Record<string, string>,
): Promise<Descriptor> {
  const config = await registry.pushBlob(
    repository,
    JSON.stringify({ os: "linux", architecture: "amd64", layers }),
    "application/vnd.oci.image.config.v1+json",
  );
  const descriptors: Descriptor[] = [];
  for (const [mediaType, content] of layers) {
    descriptors.push(await registry.pushBlob(repository, content, mediaType));
  }
  const manifest = { mediaType: imageType, config, layers: descriptors, annotations };
  return await registry.pushManifest(repository, tag, manifest);
}

/** Pushes an index of an image for linux/arm64 and one for linux/amd64, each with its architecture as its layer. */
export async function pushIndex(
  registry: DockerRegistry,
  repository: string,
  tag: string,
): Promise<Descriptor> {
  const manifests: object[] = [];
  for (const architecture of ["arm64", "amd64"]) {
    const image = await pushLayers(registry, repository, undefined, [[layerType, architecture]]);
    manifests.push({ ...image, platform: { os: "linux", architecture } });
  }
  return await registry.pushManifest(repository, tag, {
    mediaType: indexType,
    manifests,
    annotations: { kept: "yes" },
  });
}
