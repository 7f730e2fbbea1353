import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import {
  type AddedAnnotations,
  type Artifact,
  artifactSize,
  pushArtifact,
  readArtifact,
} from "#core/oci/copy-artifact.ts";
import { repositoryUrl, versionOf } from "#core/oci/reference.ts";
import { createRegistryClient } from "#core/oci/registry-client.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import {
  type OciTarget,
  openOciSession,
  readReference,
  referenceField,
  skipTlsField,
  taggedReferenceField,
} from "./lib/oci.ts";

const defaultMaxBytes = 1024 ** 3;

const config = z.strictObject({
  srcRef: referenceField.describe(
    "What to copy, as `registry/repository:tag` or `registry/repository@sha256:digest`. With `oci://` before it, it " +
      "is a Helm chart, and credentials of type `helm` are used.",
  ),
  destRef: taggedReferenceField.describe(
    "Where to, with the tag: `registry/repository:tag`. With the repository of `srcRef`, only a tag is added.",
  ),
  annotations: z
    .record(z.string(), z.string())
    .optional()
    .describe(
      "Annotations to add or replace. Names that begin with `index:` are for the index of an artifact of several " +
        "platforms, all others, with or without `manifest:` before them, for its images.",
    ),
  insecureSkipTLSVerify: skipTlsField,
});

type Config = z.output<typeof config>;

export default defineStep({
  name: "oci-push",
  summary: "Copies an image or a Helm chart to another repository, or gives it another tag.",
  notes:
    "Everything that an index names goes along. Without annotations the digest stays the same. Between two " +
    "repositories of one registry nothing is sent that the registry can take over by itself. Configurations and " +
    "layers together may have 1 GiB, unless the operator set `MAX_OCI_PUSH_ARTIFACT_SIZE`; within one repository " +
    "there is no limit.",
  config,
  output: z.object({
    image: z.string().describe("What was pushed, with its tag: `destRef` without `oci://`."),
    digest: z.string().describe("Digest of what was pushed."),
    tag: z.string().describe("The tag of `destRef`."),
  }),
  examples: [
    {
      title: "Give an image that passed its tests the tag of a release",
      yaml: `
        uses: oci-push
        config:
          srcRef: registry.example.com/shop@\${{ imageFrom("registry.example.com/shop").digest }}
          destRef: registry.example.com/shop:v1.2.3`,
    },
    {
      title: "Copy an image to the production registry and say where it came from",
      yaml: `
        uses: oci-push
        config:
          srcRef: sandbox.example.com/shop:v1.2.3
          destRef: prod.example.com/shop:v1.2.3
          annotations:
            org.opencontainers.image.source: https://git.example.com/shop
            index:com.example.promotion: \${{ ctx.promotion }}`,
    },
  ],

  async run(config, ctx) {
    const source = readReference("srcRef", config.srcRef, "failed");
    const target = readReference("destRef", config.destRef, "failed");
    const digest = await copy(config, source, target, ctx);
    const { text: image, tag = "" } = target.reference;
    return succeeded({ image, digest, tag });
  },
});

async function copy(
  { srcRef, annotations = {}, insecureSkipTLSVerify }: Config,
  source: OciTarget,
  target: OciTarget,
  ctx: StepContext,
): Promise<string> {
  const client = createRegistryClient({ fetch: ctx.fetch });
  const isSameRegistry = source.reference.registry === target.reference.registry;
  const isSameRepository = repositoryUrl(source.reference) === repositoryUrl(target.reference);
  const mountFrom = isSameRegistry && !isSameRepository ? source.reference.repository : undefined;
  const from = await openOciSession(client, source, ctx, { insecureSkipTLSVerify });
  const to = await openOciSession(client, target, ctx, { insecureSkipTLSVerify, push: true, mountFrom });
  const artifact = await readArtifact(from, versionOf(source.reference));
  if (artifact === undefined) {
    throw new StepFailure("errored", `Cannot copy "${srcRef}": the registry does not have it`);
  }
  if (!isSameRepository) checkSize(artifact, srcRef, ctx.maxOciPushBytes);
  const blobs = isSameRepository ? undefined : { session: from, mountFrom };
  return await pushArtifact(artifact, blobs, to, versionOf(target.reference), byPlace(annotations));
}

function checkSize(artifact: Artifact, srcRef: string, maxBytes = defaultMaxBytes): void {
  if (maxBytes < 0) return;
  const what = `Cannot copy "${srcRef}"`;
  if (maxBytes === 0) {
    throw new StepFailure("refused", `${what}: the operator allows no copies from one repository to another`);
  }
  const size = artifactSize(artifact);
  if (size <= maxBytes) return;
  throw new StepFailure("refused", `${what}: it has ${size} bytes, ${maxBytes} are allowed`);
}

function byPlace(annotations: Readonly<Record<string, string>>): AddedAnnotations {
  const added = { index: {} as Record<string, string>, manifest: {} as Record<string, string> };
  for (const [name, value] of Object.entries(annotations)) {
    if (name.startsWith("index:")) added.index[name.slice("index:".length)] = value;
    else added.manifest[name.replace(/^manifest:/, "")] = value;
  }
  return added;
}
