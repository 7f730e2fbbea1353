import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { schemaProblem } from "#core/promotion/gate-input.ts";
import { Duration } from "#core/resources/duration.ts";
import { defineStep, succeeded, waiting } from "#core/step.ts";
import { pollSeconds } from "./lib/poll-seconds.ts";
import { responderRule } from "./lib/responder-rules.ts";

export default defineStep({
  name: "get-user-input",
  summary: "Waits until somebody has filled in a form.",
  notes: `
The form is made from a JSON Schema (draft 4, 6 or 7) and is on the gate's page; \`towpath release --input\` and the
API take the same values. The server checks them. A response wakes the step at once, so that it looks again by
itself only if \`pollInterval\` says so. How long it waits is limited by the step's \`retry.timeout\`. Do not put
secrets into the configuration: whoever may see the promotion sees it.`,
  config: z.strictObject({
    schema: z
      .record(z.string(), z.unknown())
      .describe("JSON Schema of the values to ask for; its root must have `type: object`."),
    responders: z
      .array(responderRule)
      .default([])
      .describe("Who may respond: whom any rule matches; everybody who sees the promotion if empty."),
    display: z.string().optional().describe("What those who are asked should know."),
    pollInterval: Duration.optional().describe("How often to look again though nothing was heard."),
  }),
  output: z.object({
    values: z.record(z.string(), z.unknown()).describe("What was filled in."),
    respondedBy: z.string().describe("Who did."),
    respondedAt: z.iso.datetime().describe("When."),
  }),
  examples: [
    {
      title: "Ask for a version",
      yaml: `
        uses: get-user-input
        as: collect
        config:
          display: Which version is to be announced?
          schema:
            type: object
            required: [version]
            properties:
              version:
                type: string
                pattern: ^v[0-9]+$`,
    },
  ],

  async run({ schema, responders, display, pollInterval }, ctx) {
    const problem = schemaProblem(schema);
    if (problem !== undefined)
      throw new StepFailure("config", `Cannot make a form of the schema: ${problem}`);
    const message = display ?? "Waiting for input";
    const answer = await ctx.gate({ message, asks: { kind: "input", responders, schema } });
    switch (answer.state) {
      case "open":
        return waiting(
          answer.url === undefined ? message : `${message} (${answer.url})`,
          pollSeconds(pollInterval),
        );
      case "released":
        return succeeded({
          values: answer.values ?? {},
          respondedBy: answer.by,
          respondedAt: answer.at,
        });
      case "denied":
        throw new StepFailure("failed", `Denied by ${answer.by}`);
      case "timedOut":
        throw new StepFailure("failed", "Nobody responded in time");
      default:
        return answer satisfies never;
    }
  },
});
