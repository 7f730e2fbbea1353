import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep, succeeded } from "#core/step.ts";

export default defineStep({
  name: "set-freight-alias",
  summary: "Gives a Freight another alias.",
  notes: "An alias is a name for people; it must be the only one of its kind in the project.",
  config: z.strictObject({
    name: z.string().min(1).describe("Name of the Freight, in the promotion's project."),
    alias: z.string().min(1).describe("The new alias."),
  }),
  output: z.object({}),
  examples: [
    {
      title: "Name a Freight after its release",
      yaml: `
        uses: set-freight-alias
        config:
          name: \${{ ctx.targetFreight.name }}
          alias: release-\${{ imageFrom("public.ecr.aws/nginx/nginx").Tag }}`,
    },
  ],

  async run({ name, alias }, ctx) {
    const what = `Cannot set the alias of Freight "${ctx.project}/${name}"`;
    const freight = await ctx.resources.get("Freight", name);
    if (freight === undefined) throw new StepFailure("failed", `${what}: it does not exist`);
    const old = "alias" in freight ? String(freight.alias ?? "") : "";
    try {
      await ctx.resources.setFreightAlias(name, alias);
    } catch (error) {
      ctx.signal.throwIfAborted();
      throw new StepFailure("failed", `${what}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    return succeeded(undefined, {
      message: `updated alias of Freight "${name}" from "${old}" to "${alias}"`,
    });
  },
});
