import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { openBlob } from "#core/oci/blob.ts";
import type { Descriptor, ImageManifest } from "#core/oci/manifest.ts";
import { versionOf } from "#core/oci/reference.ts";
import { createRegistryClient } from "#core/oci/registry-client.ts";
import { readImage } from "#core/oci/repository.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { downloadFile } from "./lib/download-file.ts";
import { openOciSession, readReference, referenceField, skipTlsField } from "./lib/oci.ts";

const maxBytes = 100 * 1024 * 1024;
/** Whose layers are taken where a reference names images for several platforms. */
const platform = { os: "linux", architecture: "amd64" };

const config = z.strictObject({
  imageRef: referenceField.describe(
    "The artifact, as `registry/repository:tag` or `registry/repository@sha256:digest`. With `oci://` before it, " +
      "it is a Helm chart, and credentials of type `helm` are used.",
  ),
  outPath: z.string().min(1).describe("Where to put the layer, in the workspace; missing folders are made."),
  allowOverwrite: z.boolean().default(false).describe("Replace the file if it exists."),
  mediaType: z
    .string()
    .min(1)
    .optional()
    .describe("Media type of the layer: the first that has it is taken. The very first layer without it."),
  insecureSkipTLSVerify: skipTlsField,
});

type Config = z.output<typeof config>;

export default defineStep({
  name: "oci-download",
  summary: "Downloads a layer of an OCI artifact, such as a Helm chart, from a registry.",
  notes:
    "The layer is put into the file as it is stored, which for a chart is a `.tgz`. It may have 100 MiB at most, is " +
    "checked against its digest, and appears only when it is complete. Of an index of several platforms, " +
    "`linux/amd64` is taken.",
  config,
  output: z.object({}),
  examples: [
    {
      title: "Download a chart to render it",
      yaml: `
        uses: oci-download
        config:
          imageRef: oci://registry.example.com/charts/shop:1.2.3
          outPath: ./chart.tgz`,
    },
    {
      title: "Download the layer of one kind",
      yaml: `
        uses: oci-download
        config:
          imageRef: registry.example.com/shop/settings@sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945
          outPath: ./settings.json
          mediaType: application/vnd.example.settings.v1+json`,
    },
  ],

  async run(config, ctx) {
    await downloadFile(config, ctx, async () => [await openLayer(config, ctx)]);
    return succeeded();
  },
});

async function openLayer(config: Config, ctx: StepContext): Promise<AsyncIterable<Uint8Array>> {
  const target = readReference("imageRef", config.imageRef, "refused");
  const { insecureSkipTLSVerify } = config;
  const client = createRegistryClient({ fetch: ctx.fetch });
  const session = await openOciSession(client, target, ctx, { insecureSkipTLSVerify });
  const image = await readImage(session, versionOf(target.reference), platform);
  if (image === undefined) {
    throw new StepFailure("errored", `Cannot download "${config.imageRef}": the registry does not have it`);
  }
  return openBlob(session, chooseLayer(image, config));
}

function chooseLayer({ layers }: ImageManifest, { imageRef, mediaType }: Config): Descriptor {
  const layer = (layers ?? []).find((one) => mediaType === undefined || one.mediaType === mediaType);
  const what = `Cannot download "${imageRef}"`;
  if (layer === undefined) {
    const types = [...new Set((layers ?? []).map((one) => one.mediaType))];
    const why =
      types.length === 0
        ? "it has no layers"
        : `no layer has media type "${mediaType}"; there are ${types.join(", ")}`;
    throw new StepFailure("errored", `${what}: ${why}`);
  }
  if (layer.size <= maxBytes) return layer;
  throw new StepFailure("refused", `${what}: the layer has ${layer.size} bytes, ${maxBytes} are allowed`);
}
