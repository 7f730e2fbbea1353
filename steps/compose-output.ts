import { z } from "zod";
import { defineStep, succeeded } from "#core/step.ts";

const values = z.record(z.string(), z.unknown());

export default defineStep({
  name: "compose-output",
  summary: "Makes an output of its own out of what earlier steps found.",
  notes:
    "The whole configuration becomes the output, expressions evaluated. In a task this is how results are " +
    "handed to the promotion that uses the task.",
  config: values
    .refine((config) => Object.keys(config).length > 0, "needs at least one value")
    .describe("Any names, each with the value to give out."),
  output: values.describe("The configuration, evaluated."),
  taskOutput: true,
  examples: [
    {
      title: "Give the address of a pull request a name",
      yaml: `
        uses: compose-output
        as: deployed
        config:
          pullRequest: \${{ outputs['open-pr'].pr.url }}
          commit: \${{ outputs['wait-for-pr'].commit }}`,
    },
  ],

  async run(config) {
    return succeeded({ ...config });
  },
});
