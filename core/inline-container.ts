import { z } from "zod";
import { allowedHosts, CustomPromotionStepSpec } from "#core/resources/custom-promotion-step.ts";

/** What an inline container has in common with a registered one. */
const shared = CustomPromotionStepSpec.pick({
  image: true,
  output: true,
  outputSchema: true,
  resources: true,
  imagePullSecrets: true,
  user: true,
  platform: true,
  entrypoint: true,
  stopGracePeriod: true,
  readOnlyRoot: true,
  caches: true,
  devices: true,
  gpus: true,
  reuse: true,
});

/** The configuration of the step `container`. */
export const InlineContainer = shared
  .extend({
    script: z
      .string()
      .min(1)
      .optional()
      .describe("Script for the image's `sh`, which ends at the first error."),
    command: z
      .array(z.string())
      .min(1)
      .optional()
      .describe("Program and arguments; the image's own where there is no script either."),
    env: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .describe("Environment by the variables' names."),
    network: z
      .strictObject({
        mode: z
          .string()
          .default("none")
          .describe("`none`, or a network that the operator allows, such as `bridge`."),
        allow: allowedHosts,
      })
      .optional()
      .describe("What of the network the step may reach."),
  })
  .refine(({ script, command }) => script === undefined || command === undefined, {
    error: "Give either script or command, not both",
  });
export type InlineContainer = z.infer<typeof InlineContainer>;
