import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { DeliveryFailure } from "#core/notifications/channels/channel.ts";
import { decode } from "#core/notifications/encoding.ts";
import type { ChannelType, OutgoingMessage } from "#core/notifications/message.ts";
import { defineStep, type StepContext, type StepMessages, succeeded } from "#core/step.ts";

const SendMessageConfig = z.strictObject({
  channel: z
    .strictObject({
      kind: z.enum(["MessageChannel", "ClusterMessageChannel"]).describe("Kind of the channel."),
      name: z.string().min(1).describe("Name of the channel."),
    })
    .describe("The channel to write to; of Slack or SMTP."),
  message: z.string().min(1).describe("The message, or the structure that `encodingType` names, as text."),
  encodingType: z
    .enum(["", "json", "yaml", "xml"])
    .default("")
    .describe(
      "How the message is to be read; as plain text without it. With it, `slack` and `smtp` do not count.",
    ),
  slack: z
    .strictObject({
      channelID: z.string().optional().describe("Slack channel; the channel's own without it."),
      threadTS: z.string().optional().describe("Thread to write to, as an earlier message gave it."),
    })
    .optional()
    .describe("For Slack."),
  smtp: z
    .strictObject({
      to: z
        .union([z.string(), z.array(z.string())])
        .optional()
        .describe("Recipients; the channel's own without them."),
      subject: z.string().optional().describe("Subject of the mail."),
      html: z.boolean().default(false).describe("Whether the message is HTML."),
    })
    .optional()
    .describe("For mails."),
});
type SendMessageConfig = z.output<typeof SendMessageConfig>;

export default defineStep({
  name: "send-message",
  summary: "Writes to a Slack channel or sends a mail.",
  notes:
    "A channel is a `MessageChannel` of the project or a `ClusterMessageChannel`; those of HTTP serve event routers " +
    "only, and the step `http` calls addresses. A message that was taken is not sent again when the step is. " +
    "Without `encodingType` a message that looks like JSON or a number must be quoted, by `quote()`, to stay a text.",
  config: SendMessageConfig,
  output: z.object({
    slack: z
      .object({ threadTS: z.string().describe("Thread that the message stands in.") })
      .optional()
      .describe("Of a message to Slack."),
    smtp: z.object({}).optional().describe("Of a mail; nothing yet."),
  }),
  examples: [
    {
      title: "Tell a Slack channel how the promotion went",
      yaml: `
        uses: send-message
        if: \${{ always() }}
        config:
          channel:
            kind: MessageChannel
            name: team
          message: "\${{ ctx.stage }}: \${{ success() ? 'done' : 'failed' }}"`,
    },
    {
      title: "Send a mail",
      yaml: `
        uses: send-message
        config:
          channel:
            kind: ClusterMessageChannel
            name: mail
          message: <p>\${{ ctx.targetFreight.name }} is on its way.</p>
          smtp:
            to: [release@example.com]
            subject: A release
            html: true`,
    },
  ],

  async run(config, ctx) {
    const { messages } = ctx;
    if (messages === undefined) {
      throw new StepFailure("refused", "Cannot send a message: only a daemon has message channels");
    }
    return await ctx.once("message", () => send(config, messages, ctx)).then(succeeded, fail);
  },
});

async function send(config: SendMessageConfig, messages: StepMessages, ctx: StepContext) {
  const type = await messages.typeOf(config.channel);
  if (type === "http") {
    throw new StepFailure(
      "config",
      `Cannot send a message by ${config.channel.kind} "${config.channel.name}": it is of HTTP, which serves event routers; use the step "http"`,
    );
  }
  const { threadTS } = await messages.send(config.channel, await messageOf(config, type, ctx));
  if (type === "smtp") return { smtp: {} };
  return threadTS ? { slack: { threadTS } } : {};
}

async function messageOf(
  { message, encodingType, slack, smtp }: SendMessageConfig,
  type: Exclude<ChannelType, "http">,
  { project, stage }: StepContext,
): Promise<Omit<OutgoingMessage, "id">> {
  const subject = `Promotion to ${project}/${stage}`;
  if (encodingType !== "") return { content: await decode(message, encodingType), subject };
  if (type === "slack") {
    const channel = slack?.channelID ? { channel: slack.channelID } : {};
    return { content: { text: message, ...channel }, subject, threadTS: slack?.threadTS || undefined };
  }
  const to = smtp?.to?.length ? { to: smtp.to } : {};
  return {
    content: {
      body: message,
      html: smtp?.html ?? false,
      ...to,
      ...(smtp?.subject ? { subject: smtp.subject } : {}),
    },
    subject,
  };
}

function fail(error: unknown): never {
  if (!(error instanceof DeliveryFailure)) throw error;
  throw new StepFailure(error.permanent ? "refused" : "transient", error.message, { cause: error });
}
