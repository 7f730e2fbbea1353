import { z } from "zod";

export const indexTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
export const imageTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/** One part of an artifact: where it lies and what it is. */
const Descriptor = z.object({
  mediaType: z.string().default(""),
  digest: z.string(),
  /** Bytes. */
  size: z.number().default(0),
});
export type Descriptor = z.infer<typeof Descriptor>;

/** What is asked for in the Accept header of requests for manifests. */
export const acceptedManifests = [...indexTypes, ...imageTypes].join(", ");

const annotations = z.record(z.string(), z.string()).nullish();

/** A list of images, one for each platform; attestations and the like stand in it too. */
export const ImageIndex = z.object({
  mediaType: z.string().optional(),
  annotations,
  manifests: z
    .array(
      z.object({
        digest: z.string(),
        mediaType: z.string().optional(),
        annotations,
        platform: z
          .object({
            os: z.string().default(""),
            architecture: z.string().default(""),
            variant: z.string().default(""),
          })
          .nullish(),
      }),
    )
    .default([]),
});
export type ImageIndex = z.infer<typeof ImageIndex>;

export const ImageManifest = z.object({
  mediaType: z.string().optional(),
  annotations,
  config: Descriptor,
  layers: z.array(Descriptor).nullish(),
});
export type ImageManifest = z.infer<typeof ImageManifest>;

/** What an image says of itself. */
export const ImageConfig = z.object({
  created: z.string().nullish(),
  os: z.string().default(""),
  architecture: z.string().default(""),
  variant: z.string().default(""),
  config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }).nullish(),
});
export type ImageConfig = z.infer<typeof ImageConfig>;
