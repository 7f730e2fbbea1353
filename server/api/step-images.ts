import { z } from "zod";
import { UserError } from "#core/failure.ts";
import type { Api } from "#server/api/api.ts";
import { readJson } from "#server/body.ts";
import type { Route } from "#server/route.ts";

const Body = z.strictObject({
  image: z.string().min(1).describe("The image, with its tag or digest."),
  imagePullSecrets: z
    .array(z.string())
    .default([])
    .describe("Secrets that all projects share, to pull it with."),
});

export const stepImageRoutes = (api: Api): Route[] => [
  {
    method: "POST",
    path: "/v1beta1/step-images",
    id: "DescribeStepImage",
    summary: "Read the step that an image describes, as the CustomPromotionStep that would register it",
    needs: "administer",
    body: Body,
    answers: { 200: "The CustomPromotionStep, pinned by digest. Nothing is stored." },
    handle: async (c) => {
      const { image, imagePullSecrets } = await readJson(c, Body);
      if (api.describeStepImage === undefined) {
        throw new UserError("Cannot read the image: this daemon runs no containers");
      }
      return c.json(await api.describeStepImage({ image, pullSecrets: imagePullSecrets }));
    },
  },
];
