import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep } from "#core/step.ts";

export default defineStep({
  name: "fail",
  summary: "Fails the promotion, for good.",
  notes:
    "Use it with `if` to stop a promotion where something is not as it must be. It is never tried again.",
  config: z.strictObject({
    message: z.string().min(1).optional().describe("Why the promotion is to fail."),
  }),
  output: z.object({}),
  examples: [
    {
      title: "Refuse a release on a condition",
      yaml: `
        uses: fail
        if: \${{ outputs.tests.failed > 0 }}
        config:
          message: \${{ outputs.tests.failed }} tests failed`,
    },
  ],

  async run({ message }) {
    throw new StepFailure("failed", message === undefined ? "failed" : `failed: ${message}`);
  },
});
