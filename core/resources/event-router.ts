import { z } from "zod";
import { kargoEnterpriseV1alpha1 } from "#core/resources/api-versions.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";

const EncodingType = z
  .enum(["", "json", "yaml", "xml"])
  .optional()
  .describe("How the output is to be read; as plain text without it.");

/** Says which events of a project are told to which channels, and how. */
export const EventRouterSpec = z.strictObject({
  types: z.array(z.string().min(1)).min(1).describe("Types of the events, as `PromotionFailed`."),
  channels: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe("Name of the channel."),
        kind: z.enum(["MessageChannel", "ClusterMessageChannel"]).describe("Kind of the channel."),
        output: z.string().optional().describe("The message for this channel; a template."),
        encodingType: EncodingType,
      }),
    )
    .min(1)
    .describe("Where the events are told."),
  when: z.string().optional().describe("Expression over `type`, `event`, `data` and `ctx`; told when true."),
  output: z.string().optional().describe("The message; a template. One that fits the event without it."),
  encodingType: EncodingType,
  groupingKey: z.string().optional().describe("Template; messages of one key share a thread, in Slack."),
});
export type EventRouterSpec = z.infer<typeof EventRouterSpec>;

export const EventRouterStatus = z.object({
  /** The last event that could not be made a message. */
  lastFailure: z.object({ at: z.string(), event: z.string(), message: z.string() }).optional(),
});
export type EventRouterStatus = z.infer<typeof EventRouterStatus>;

/** Tells what happens in a project to its channels. */
export const EventRouter = z.strictObject({
  apiVersion: z.literal(kargoEnterpriseV1alpha1),
  kind: z.literal("EventRouter"),
  metadata: ObjectMeta,
  spec: EventRouterSpec.describe("Which events are told, where and how."),
  status: EventRouterStatus.optional(),
});
export type EventRouter = z.infer<typeof EventRouter>;
