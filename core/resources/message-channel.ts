import { z } from "zod";
import { kargoEnterpriseV1alpha1 } from "#core/resources/api-versions.ts";
import { Duration } from "#core/resources/duration.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";

/** `messages` on a ClusterMessageChannel of HTTP: what a message says of its request goes before the channel's. */
export const requestAnnotation = "towpath.dev/request-set-by";

const NameAndValue = z.strictObject({ name: z.string(), value: z.string() });

export const MessageChannelSpec = z.strictObject({
  secretRef: z
    .strictObject({
      name: z.string().describe("Name of the Secret."),
      namespace: z.string().optional().describe("Its project; a MessageChannel's own project always."),
    })
    .optional()
    .describe("Secret with the credentials: `apiKey` for Slack, `username` and `password` for SMTP."),
  slack: z
    .strictObject({ channelID: z.string().min(1).describe("Channel to write to.") })
    .optional()
    .describe("A Slack channel."),
  smtp: z
    .strictObject({
      from: z.string().min(1).describe("Sender's address."),
      to: z.array(z.string()).optional().describe("Recipients; the first in To, the others in Cc."),
      host: z.string().min(1).describe("Mail server."),
      port: z.int().min(1).max(65535).describe("Port of the mail server."),
      useTLS: z.boolean().default(true).describe("Speak TLS with the server."),
      insecureSkipVerify: z.boolean().default(false).describe("Accept any certificate. For tests only."),
    })
    .optional()
    .describe("Mail."),
  http: z
    .strictObject({
      url: z.string().min(1).describe("Address to call."),
      method: z.enum(["GET", "POST", "PUT", "PATCH", "DELETE"]).default("POST").describe("HTTP method."),
      headers: z.array(NameAndValue).optional().describe("Headers of the request."),
      queryParams: z.array(NameAndValue).optional().describe("Query parameters to add to the address."),
      timeout: Duration.default("10s").describe("Time until the request is given up."),
      insecureSkipTLSVerify: z.boolean().default(false).describe("Accept any certificate. For tests only."),
      successExpression: z.string().optional().describe("Expression over `response`; sent when true."),
      failureExpression: z.string().optional().describe("Expression over `response`; failed when true."),
    })
    .optional()
    .describe("An HTTP call."),
});
export type MessageChannelSpec = z.infer<typeof MessageChannelSpec>;

/** What became of the messages to a channel. */
export const MessageChannelStatus = z.object({
  lastDeliveredAt: z.string().optional(),
  lastFailure: z
    .object({
      at: z.string(),
      /** Type of the event that the message was about. */
      event: z.string(),
      message: z.string(),
      /** How often it was tried by then. */
      attempts: z.int(),
      /** Whether it is not tried again. */
      givenUp: z.boolean(),
    })
    .optional(),
});
export type MessageChannelStatus = z.infer<typeof MessageChannelStatus>;

/** Where messages of a project go: exactly one of slack, smtp and http. */
export const MessageChannel = z.strictObject({
  apiVersion: z.literal(kargoEnterpriseV1alpha1),
  kind: z.literal("MessageChannel"),
  metadata: ObjectMeta,
  spec: MessageChannelSpec.describe("Where messages go."),
  status: MessageChannelStatus.optional(),
});
export type MessageChannel = z.infer<typeof MessageChannel>;
