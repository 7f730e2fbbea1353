import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import type { GateAnswer, GateRequest } from "#core/gate.ts";
import { Duration, parseDuration } from "#core/resources/duration.ts";
import { defineStep, type Outcome, succeeded, waiting } from "#core/step.ts";
import { askCommand, GateCommand } from "./lib/gate-command.ts";
import { LinkConfig, LinkOutput, linkRequest } from "./lib/gate-links.ts";
import { findHold, GateSchedule } from "./lib/gate-schedule.ts";
import { allowRule } from "./lib/responder-rules.ts";

export default defineStep({
  name: "gate",
  summary: "Holds the promotion until somebody releases it, or until its time has come.",
  notes: `
Open gates are listed by \`towpath gates\` and on the status page, and are answered there, by
\`towpath release\` and \`towpath deny\`, by a signed link, by the step [\`answer-gate\`](answer-gate.md) or over HTTP. The first answer counts. Waiting costs nothing and survives restarts of the daemon. What \`allow\` can name is told in
[gates](../gates.md#who-may-respond). Who answered, when, through what and with which words becomes the step's output.

An answer counts at any time; with a \`schedule\`, what was released goes on when that allows it. With \`ask: false\`
nobody is asked, and the schedule alone decides.

A \`command\` is run in a container when the gate opens, and every so often while it ends with 75. It has \`GATE_PROJECT\`,
\`GATE_STAGE\`, \`GATE_PROMOTION\`, \`GATE_STEP\`, \`GATE_FREIGHT\`, \`GATE_ACTOR\` and \`GATE_MESSAGE\` in its environment. People may
answer meanwhile; what the command says then counts no more.`,
  config: z
    .strictObject({
      message: z
        .string()
        .min(1)
        .default("Waiting to be released")
        .describe("What those who are asked should know."),
      ask: z.boolean().default(true).describe("Whether somebody has to release it."),
      allow: z
        .array(allowRule)
        .default([])
        .describe("Who may answer: whom any rule matches; everybody who may promote if empty."),
      links: LinkConfig.optional().describe(
        "Makes signed links that release or deny the gate; messages about it carry them.",
      ),
      command: GateCommand.optional().describe(
        "Runs in a container and answers, beside whoever is asked: 0 releases, 75 keeps waiting, all else denies.",
      ),
      schedule: GateSchedule.optional().describe("When the promotion may go on; all of it has to hold."),
      timeout: Duration.refine((text) => (parseDuration(text) ?? 0) > 0, "must be longer than nothing")
        .optional()
        .describe("How long to wait for an answer, such as `30m` or `48h`; for ever by default."),
      onTimeout: z
        .enum(["deny", "release"])
        .default("deny")
        .describe("What no answer in time means: `deny` fails the step, `release` goes on."),
    })
    .refine(({ ask, schedule }) => ask || schedule !== undefined, {
      path: ["schedule"],
      error: "is needed where ask is false: something has to tell when the promotion may go on",
    })
    .refine(({ ask, command }) => ask || command === undefined, {
      path: ["command"],
      error: "answers a gate, and with ask: false there is none",
    }),
  output: z.object({
    decision: z.enum(["released", "denied", "timedOut"]).describe("How the gate was answered."),
    by: z.string().optional().describe("Who answered; nobody did when the time ran out or came."),
    at: z.iso.datetime().describe("When."),
    message: z.string().optional().describe("What whoever answered had to say."),
    via: z
      .string()
      .optional()
      .describe("Through what it was answered: `page`, `cli`, `api`, `link`, `step` or `command`."),
    address: z.string().optional().describe("From which address."),
    links: LinkOutput.optional().describe("The links while the gate is open, masked where people read them."),
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
          - user: token:shop/release-bot`,
    },
    {
      title: "In working hours, a day after the stage below was verified, and nobody is asked",
      yaml: `
        uses: gate
        config:
          ask: false
          schedule:
            soak: 24h
            windows:
            - name: working hours
              rrule: FREQ=WEEKLY;BYDAY=MO,TU,WE,TH
              dtstart: TZID=Europe/Berlin:20260105T090000
              dtend: TZID=Europe/Berlin:20260105T160000`,
    },
  ],

  async run({ message, ask, allow, links, command, schedule = noSchedule, timeout, onTimeout }, ctx) {
    const goOn = async (output: Record<string, unknown>, said: string): Promise<Outcome> => {
      const hold = await findHold(schedule, ctx);
      if (hold !== undefined) return waiting(`${said}: ${hold.why}`, hold.seconds, output);
      return succeeded(output, output.decision === "timedOut" ? { message: said } : {});
    };
    if (!ask) return goOn({ decision: "released", at: ctx.now().toISOString() }, "Waiting for its time");

    const expiresAt = expiry(ctx.startedAt, timeout);
    const request: GateRequest = {
      message,
      expiresAt: expiresAt?.toISOString(),
      ...(links && { links: linkRequest(ctx.startedAt, links) }),
      ...(allow.length > 0 && { asks: { kind: "approval", responders: allow, minApprovals: 1 } }),
    };
    let answer = await ctx.gate(request);
    if (answer.state === "open" && command !== undefined) {
      const verdict = await askCommand(command, message, ctx);
      if (verdict !== "waiting") answer = await ctx.gate({ ...request, verdict });
    }
    switch (answer.state) {
      case "open": {
        const untilExpiry = expiresAt === undefined ? Infinity : secondsUntil(expiresAt, ctx.now());
        const untilAsked = command === undefined ? Infinity : (parseDuration(command.every) ?? 0) / 1000;
        return waiting(
          answer.url === undefined ? message : `${message} (${answer.url})`,
          Math.min(untilExpiry, untilAsked),
          answer.links && { links: answer.links },
        );
      }
      case "released":
        return goOn(decisionOf(answer), `Released by ${answer.by}, and goes on when its time has come`);
      case "denied": {
        const why = answer.message === undefined ? "" : `: ${answer.message}`;
        throw new StepFailure("failed", `Denied by ${answer.by}${why}`, { output: decisionOf(answer) });
      }
      case "timedOut": {
        const output = { decision: "timedOut", at: answer.at };
        if (onTimeout === "release") return goOn(output, `Nobody answered within ${timeout}`);
        throw new StepFailure("failed", `Nobody answered within ${timeout}`, { output });
      }
      default:
        return answer satisfies never;
    }
  },
});

const noSchedule: GateSchedule = { windows: [] };

function decisionOf(answer: Extract<GateAnswer, { state: "released" | "denied" }>): Record<string, unknown> {
  const { state, by, at, message, via, address } = answer;
  return { decision: state, by, at, message, via, address };
}

function secondsUntil(time: Date, now: Date): number {
  return (time.getTime() - now.getTime()) / 1000;
}

function expiry(startedAt: string, timeout: string | undefined): Date | undefined {
  if (timeout === undefined) return undefined;
  return new Date(Date.parse(startedAt) + (parseDuration(timeout) ?? 0));
}
