import { z } from "zod";
import { refuseAmbiguousImages, type SubscriptionSource } from "#core/artifacts/find.ts";
import { StepFailure } from "#core/failure.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { oneOf } from "#steps/lib/one-of.ts";
import { editFile } from "./lib/edit-file.ts";
import { findKustomization } from "./lib/kustomization-file.ts";
import { type KustomizeImage, kustomizeImage, setImages } from "./lib/kustomization-images.ts";
import { commitMessageOutput } from "./lib/value-updates.ts";

const Image = z
  .strictObject({
    image: z.string().min(1).describe("The image's repository, as the Warehouse subscribes to it."),
    name: z
      .string()
      .optional()
      .describe("The image's name in the kustomization, where it is another than `image`."),
    newName: z
      .string()
      .optional()
      .describe("What to call the image in the manifests; `*` keeps what the kustomization has."),
    tag: z
      .string()
      .optional()
      .describe("The tag to set, instead of `digest`; `*` keeps what the kustomization has."),
    digest: z
      .string()
      .optional()
      .describe("The digest to set, instead of `tag`; `*` keeps what the kustomization has."),
  })
  .refine(
    ({ tag = "", digest = "" }) => (tag === "") !== (digest === ""),
    oneOf("needs either `tag` or `digest`, and not both"),
  );

export default defineStep({
  name: "kustomize-set-image",
  summary: "Sets images in a kustomization, as `kustomize edit set image` does.",
  notes:
    "Without `images`, all images of the promotion's freight are set, by tag and digest. That fails when two " +
    "of the requested Warehouses subscribe to one repository: then say which to take. The kustomization's " +
    "images are sorted by name; everything else in the file stays as it is.",
  config: z.strictObject({
    path: z.string().min(1).describe("The folder of the kustomization, in the workspace."),
    images: z.array(Image).optional().describe("The images to set."),
  }),
  output: commitMessageOutput,
  examples: [
    {
      title: "Set the image that comes with the freight",
      yaml: `
        uses: kustomize-set-image
        config:
          path: ./src/base
          images:
          - image: public.ecr.aws/nginx/nginx
            tag: \${{ imageFrom("public.ecr.aws/nginx/nginx").Tag }}`,
    },
    {
      title: "Set all images of the freight",
      yaml: `
        uses: kustomize-set-image
        config:
          path: ./src/base`,
    },
    {
      title: "Take an image from elsewhere",
      yaml: `
        uses: kustomize-set-image
        config:
          path: ./src/base
          images:
          - image: registry.example.com/shop/web
            name: web
            newName: mirror.example.com/shop/web
            digest: \${{ imageFrom("registry.example.com/shop/web").Digest }}`,
    },
  ],

  async run({ path, images = [] }, ctx) {
    const file = await findKustomization(await ctx.workspace.resolve(path), path);
    const wanted =
      images.length > 0 ? images.map(toKustomizeImage) : await imagesOfFreight(ctx).then(byRepository);
    let all: KustomizeImage[] = [];
    await editFile(ctx, file, (text) => {
      const result = setImages(text, wanted);
      all = result.images;
      return result.text;
    });
    return succeeded(all.length === 0 ? undefined : { commitMessage: message(path, all) });
  },
});

function toKustomizeImage({ image, name, newName, tag, digest }: z.output<typeof Image>): KustomizeImage {
  return kustomizeImage({
    name: name || image,
    newName: newName ?? "",
    ...(digest ? { digest } : { newTag: tag ?? "" }),
  });
}

async function imagesOfFreight(ctx: StepContext): Promise<KustomizeImage[]> {
  const subscriptions = new Map<string, readonly SubscriptionSource[]>();
  for (const { origin } of ctx.freightRequests) {
    const warehouse = await ctx.resources.get("Warehouse", origin.name);
    const spec = warehouse?.spec as { subscriptions?: readonly SubscriptionSource[] } | undefined;
    if (spec !== undefined) subscriptions.set(origin.name, spec.subscriptions ?? []);
  }
  try {
    refuseAmbiguousImages(ctx.freightRequests, ctx.freight, (name) => subscriptions.get(name));
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    const advice = `say under "images" which to set: manual configuration required due to ambiguous result`;
    throw new StepFailure("errored", `Cannot set all images: ${error.message}; ${advice}`, { cause: error });
  }
  return ctx.freight.flatMap(({ images = [] }) =>
    images.map(({ repoURL, tag = "", digest = "" }) =>
      kustomizeImage({ name: repoURL, newTag: tag, digest }),
    ),
  );
}

function byRepository(images: readonly KustomizeImage[]): KustomizeImage[] {
  return [...new Map(images.map((image) => [image.name, image])).values()];
}

/** In Kargo's words. */
function message(path: string, images: readonly KustomizeImage[]): string {
  const lines = images.map(({ name, newName, newTag, digest }) => {
    const tag = newTag === "" ? "" : `:${newTag}`;
    return `\n- ${newName || name}${tag}${digest === "" ? "" : `@${digest}`}`;
  });
  return `Updated ${path} to use new image${images.length > 1 ? "s" : ""}\n${lines.join("")}`;
}
