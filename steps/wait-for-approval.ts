import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { Duration } from "#core/resources/duration.ts";
import { defineStep, succeeded, waiting } from "#core/step.ts";
import { pollSeconds } from "./lib/poll-seconds.ts";
import { approverRule } from "./lib/responder-rules.ts";

export default defineStep({
  name: "wait-for-approval",
  summary: "Waits until enough people have approved; one rejection fails it.",
  notes: `
Approve and reject on the gate's page, by \`towpath release\` and \`towpath deny\`, or over HTTP. Each person
counts once. A response wakes the step at once, so that it looks again by itself only if \`pollInterval\` says so.
How long it waits is limited by the step's \`retry.timeout\`. The roles and claims that there are to name are
those of tokens: see [gates](../gates.md#who-may-respond). Do not put secrets into the configuration: whoever may
see the promotion sees it.`,
  config: z.strictObject({
    approvers: z
      .array(approverRule)
      .default([])
      .describe(
        "Who may approve and reject: whom any rule matches; everybody who sees the promotion if empty.",
      ),
    minApprovals: z.int().min(1).default(1).describe("How many people must approve."),
    pollInterval: Duration.optional().describe("How often to look again though nothing was heard."),
    excludePromoter: z
      .boolean()
      .default(false)
      .describe("Whoever asked for the promotion may not approve it. Not in Kargo."),
  }),
  output: z.object({
    responses: z
      .array(
        z.object({
          user: z.string().describe("Who responded."),
          action: z.enum(["approve", "reject"]).describe("With what."),
          time: z.iso.datetime().describe("When."),
          message: z.string().optional().describe("Why."),
        }),
      )
      .describe("All responses in the order in which they came, the rejection included."),
  }),
  examples: [
    {
      title: "Two people, one of them a lead",
      yaml: `
        uses: wait-for-approval
        as: approve
        config:
          minApprovals: 2
          approvers:
          - claim: sub
            value: token:shop/lead
            required: true
          - role: kargo-promoter`,
    },
  ],

  async run({ approvers, minApprovals, pollInterval, excludePromoter }, ctx) {
    const answer = await ctx.gate({
      message: `Approve promotion to ${ctx.stage}`,
      asks: {
        kind: "approval",
        responders: approvers,
        minApprovals,
        ...(excludePromoter && ctx.actor !== "" ? { excluded: ctx.actor } : {}),
      },
    });
    switch (answer.state) {
      case "open": {
        const count = `${answer.responses?.length ?? 0} of ${minApprovals} approvals`;
        const where = answer.url === undefined ? "" : ` (${answer.url})`;
        return waiting(`Waiting for approval: ${count}${where}`, pollSeconds(pollInterval), {
          responses: answer.responses ?? [],
        });
      }
      case "released":
        return succeeded({ responses: answer.responses ?? [] });
      case "denied": {
        const why = answer.message === undefined ? "" : `: ${answer.message}`;
        throw new StepFailure("failed", `Rejected by ${answer.by}${why}`, {
          output: { responses: answer.responses ?? [] },
        });
      }
      case "timedOut":
        throw new StepFailure("failed", "Nobody approved in time");
      default:
        return answer satisfies never;
    }
  },
});
