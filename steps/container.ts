import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { InlineContainer } from "#core/inline-container.ts";
import { defineStep } from "#core/step.ts";

export default defineStep({
  name: "container",
  summary: "Runs a script or a command in a container of its own.",
  notes: `
The container has the promotion's workspace as its working directory and nothing else of the machine: no
network unless the operator allows one, no capabilities, no root. What it writes to the file that \`$KARGO_OUTPUT\`
(or \`$TOWPATH_OUTPUT\`) names is the step's output. It goes on when the daemon is restarted. A step that is used
more than once is better registered as a CustomPromotionStep: see [custom steps](../custom-steps.md).

Values of expressions belong in \`env\`, not in \`script\`, where a shell would read them as its own.`,
  config: InlineContainer,
  output: z.looseObject({}),
  examples: [
    {
      title: "Count the lines of a file",
      yaml: `
        uses: container
        as: count
        config:
          image: alpine:3.22
          env:
            FILE: \${{ vars.file }}
          script: |
            echo "lines=$(wc -l < "$FILE")" >> "$KARGO_OUTPUT"`,
    },
    {
      title: "Read a scanner's report from its standard output",
      yaml: `
        uses: container
        as: scan
        config:
          image: registry.example.com/acme/scanner:2.1
          command: [scanner, --format, json, out/manifests]
          output:
            source: { type: Stdout, format: JSON }
            transform:
              critical: output.summary.critical`,
    },
  ],

  async run() {
    throw new StepFailure(
      "refused",
      "Cannot run a container in the daemon itself: no container runner is at hand",
    );
  },
});
