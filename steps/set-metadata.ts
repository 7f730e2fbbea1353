import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { notEmpty } from "#steps/lib/one-of.ts";

export default defineStep({
  name: "set-metadata",
  summary: "Keeps values with a Stage or a Freight, for later promotions to read.",
  notes:
    "Values are merged into what is kept already, key by key. Expressions read them with `stageMetadata(name)` " +
    "and `freightMetadata(name)`.",
  config: z.strictObject({
    updates: z
      .array(
        z.strictObject({
          kind: z.enum(["Stage", "Freight"]).describe("Kind of the resource."),
          name: z.string().min(1).describe("Name of the resource, in the promotion's project."),
          values: z
            .record(z.string(), z.unknown())
            .refine((values) => Object.keys(values).length > 0, notEmpty)
            .describe("Any names, each with the value to keep."),
        }),
      )
      .min(1)
      .describe("The resources and what to keep with them."),
  }),
  output: z.object({}),
  examples: [
    {
      title: "Remember who approved a release",
      yaml: `
        uses: set-metadata
        config:
          updates:
          - kind: Stage
            name: \${{ ctx.stage }}
            values:
              lastRelease: \${{ commitFrom("https://git.example.com/app.git").Tag }}
          - kind: Freight
            name: \${{ ctx.targetFreight.name }}
            values:
              approvedBy: release-team`,
    },
  ],

  async run({ updates }, ctx) {
    for (const { kind, name, values } of updates) {
      if ((await ctx.resources.get(kind, name)) === undefined) {
        throw new StepFailure(
          "errored",
          `Cannot set metadata of ${kind} "${ctx.project}/${name}": it does not exist`,
        );
      }
      await ctx.resources.setMetadata(kind, name, values);
    }
    return succeeded();
  },
});
