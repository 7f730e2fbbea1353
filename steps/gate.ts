import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { maxLinkMilliseconds } from "#core/promotion/gate-links.ts";
import { Duration, parseDuration } from "#core/resources/duration.ts";
import { defineStep, type GateAnswer, succeeded, waiting } from "#core/step.ts";
import { responderRule } from "./lib/responder-rules.ts";

export default defineStep({
  name: "gate",
  summary: "Holds the promotion until somebody releases it.",
  notes: `
Open gates are listed by \`towpath gates\` and on the status page, and are answered there, by
\`towpath release\` and \`towpath deny\`, or over HTTP. The first answer counts. Waiting costs nothing and
survives restarts of the daemon. What
\`allow\` can name is told in [gates](../gates.md#who-may-respond). Who answered, when and with which words becomes the step's output.`,
  config: z.strictObject({
    message: z
      .string()
      .min(1)
      .default("Waiting to be released")
      .describe("What those who are asked should know."),
    allow: z
      .array(responderRule)
      .default([])
      .describe("Who may answer: whom any rule matches; everybody who may promote if empty."),
    links: z
      .strictObject({
        expireAfter: Duration.refine(isLinkLifetime, "must be longer than nothing and at most 720h")
          .default("24h")
          .describe("How long the links are good for, from when the step was started."),
        for: z
          .string()
          .min(1)
          .optional()
          .describe("Whom they are made for; whoever uses them answers as `link:` and this name."),
      })
      .optional()
      .describe("Makes signed links that release or deny the gate; messages about it carry them."),
    timeout: Duration.refine((text) => (parseDuration(text) ?? 0) > 0, "must be longer than nothing")
      .optional()
      .describe("How long to wait for an answer, such as `30m` or `48h`; for ever by default."),
    onTimeout: z
      .enum(["deny", "release"])
      .default("deny")
      .describe("What no answer in time means: `deny` fails the step, `release` goes on."),
  }),
  output: z.object({
    decision: z.enum(["released", "denied", "timedOut"]).describe("How the gate was answered."),
    by: z.string().optional().describe("Who answered; nobody did when the time ran out."),
    at: z.iso.datetime().describe("When."),
    message: z.string().optional().describe("What whoever answered had to say."),
    via: z
      .string()
      .optional()
      .describe("Through what it was answered: `page`, `cli`, `api`, `link` or `step`."),
    address: z.string().optional().describe("From which address."),
    links: z
      .object({
        release: z.string().describe("Address that releases the gate."),
        deny: z.string().describe("Address that denies it."),
        expiresAt: z.iso.datetime().describe("Until when they are good."),
      })
      .optional()
      .describe("The signed links while the gate is open, masked where people read them."),
  }),
  examples: [
    {
      title: "Ask before production",
      yaml: `
        uses: gate
        as: approval
        config:
          message: Release \${{ ctx.targetFreight.alias }} to production?
          timeout: 48h`,
    },
    {
      title: "Ask one of two",
      yaml: `
        uses: gate
        config:
          allow:
          - role: kargo-admin
          - claim: sub
            value: token:shop/release-bot`,
    },
  ],

  async run({ message, allow, links, timeout, onTimeout }, ctx) {
    const expiresAt = expiry(ctx.startedAt, timeout);
    const answer = await ctx.gate({
      message,
      expiresAt: expiresAt?.toISOString(),
      ...(links && { links: linkRequest(ctx.startedAt, links) }),
      ...(allow.length > 0 && { asks: { kind: "approval", responders: allow, minApprovals: 1 } }),
    });
    switch (answer.state) {
      case "open":
        return waiting(
          answer.url === undefined ? message : `${message} (${answer.url})`,
          expiresAt === undefined ? Infinity : (expiresAt.getTime() - ctx.now().getTime()) / 1000,
          answer.links && { links: answer.links },
        );
      case "released":
        return succeeded(decisionOf(answer));
      case "denied": {
        const why = answer.message === undefined ? "" : `: ${answer.message}`;
        throw new StepFailure("failed", `Denied by ${answer.by}${why}`, { output: decisionOf(answer) });
      }
      case "timedOut": {
        const output = { decision: "timedOut", at: answer.at };
        if (onTimeout === "release")
          return succeeded(output, { message: `Nobody answered within ${timeout}` });
        throw new StepFailure("failed", `Nobody answered within ${timeout}`, { output });
      }
      default:
        return answer satisfies never;
    }
  },
});

function decisionOf(answer: Extract<GateAnswer, { state: "released" | "denied" }>) {
  const { state, by, at, message, via, address } = answer;
  return { decision: state, by, at, message, via, address };
}

function linkRequest(startedAt: string, links: { expireAfter: string; for?: string }) {
  const expiresAt = Date.parse(startedAt) + (parseDuration(links.expireAfter) ?? 0);
  return {
    expiresAt: new Date(expiresAt).toISOString(),
    ...(links.for !== undefined && { madeFor: links.for }),
  };
}

function isLinkLifetime(text: string): boolean {
  const milliseconds = parseDuration(text) ?? 0;
  return milliseconds > 0 && milliseconds <= maxLinkMilliseconds;
}

function expiry(startedAt: string, timeout: string | undefined): Date | undefined {
  if (timeout === undefined) return undefined;
  return new Date(Date.parse(startedAt) + (parseDuration(timeout) ?? 0));
}
