import { z } from "zod";
import { StepFailure, UserError } from "#core/failure.ts";
import { defineStep, skipped, succeeded, waiting } from "#core/step.ts";

const secondsBetweenLooks = 15;

export default defineStep({
  name: "answer-gate",
  summary: "Releases or denies a gate at which another stage of the project waits.",
  notes: `
So the outcome of anything that runs as steps, a command in a container among them, can decide a gate: run it in a
stage of its own and answer from there. It answers as \`stage:\` and the name of its own stage; a gate that says whom it
asks has to name that (\`user\`, or \`claim: sub\`). Unless \`anyFreight\` is set it answers for the freight alone that it runs with, and
not for a promotion of other freight that happens to wait there.`,
  config: z.strictObject({
    stage: z.string().min(1).describe("The stage whose promotion waits."),
    step: z.string().min(1).describe("The gate's alias there."),
    decision: z.enum(["release", "deny"]).default("release").describe("What to answer."),
    message: z.string().min(1).max(4096).optional().describe("Why; kept in the record."),
    anyFreight: z.boolean().default(false).describe("Answers whatever freight waits there."),
    ifClosed: z
      .enum(["wait", "skip", "fail"])
      .default("wait")
      .describe("What to do while no such gate is open; `wait` looks again every 15 seconds."),
    ifDecided: z
      .enum(["skip", "fail"])
      .default("skip")
      .describe("What to do when somebody else was first and decided otherwise or alike."),
  }),
  output: z.object({}),
  examples: [
    {
      title: "Let a run of checks decide",
      yaml: `
        uses: answer-gate
        if: \${{ always() }}
        config:
          stage: prod
          step: checks
          decision: '\${{ status("run-checks") == "Succeeded" ? "release" : "deny" }}'`,
    },
  ],

  async run({ ifClosed, ifDecided, ...answer }, ctx) {
    const answered = await ctx.answerGate(answer).catch((cause: unknown) => {
      if (!(cause instanceof UserError)) throw cause;
      throw new StepFailure("refused", cause.message, { cause });
    });
    switch (answered.state) {
      case "answered":
        return succeeded();
      case "closed":
        if (ifClosed === "wait") return waiting(`Waiting to answer: ${answered.why}`, secondsBetweenLooks);
        if (ifClosed === "skip") return skipped(answered.why);
        throw new StepFailure("failed", `Cannot answer gate "${answer.step}": ${answered.why}`);
      case "decided": {
        const how = answered.how === "timedOut" ? "timed out" : `was ${answered.how} by ${answered.by}`;
        if (ifDecided === "skip") return skipped(`Gate "${answer.step}" ${how}`);
        throw new StepFailure("failed", `Cannot answer gate "${answer.step}": it ${how}`);
      }
      default:
        return answered satisfies never;
    }
  },
});
