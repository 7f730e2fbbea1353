import { z } from "zod";
import { type Carry, type ChannelContext, DeliveryFailure } from "#core/notifications/channels/channel.ts";
import { parseContent } from "#core/notifications/channels/content.ts";
import { refuseStatus } from "#core/notifications/channels/refusal.ts";
import type { MessageContent, OutgoingMessage } from "#core/notifications/message.ts";
import type { MessageChannelSpec } from "#core/resources/message-channel.ts";

const defaultApi = "https://slack.com/api";

/** A Slack message as an encoded message gives it. Slack's other fields are handed on as they are. */
const SlackContent = z.looseObject({
  text: z.string().optional(),
  icon_emoji: z.string().optional(),
  icon_url: z.string().optional(),
  blocks: z.array(z.unknown()).optional(),
  channel: z.string().optional(),
});

const Answer = z.object({ ok: z.boolean(), ts: z.string().optional(), error: z.string().optional() });

/** What another try may cure, of all that Slack says. */
const passing = new Set([
  "fatal_error",
  "internal_error",
  "ratelimited",
  "rate_limited",
  "request_timeout",
  "service_unavailable",
  "team_added_to_org",
]);

/** Writes by Slack's Web API with the Secret's `apiKey`, or to its incoming webhook `webhookURL`. */
export const carryToSlack: Carry<NonNullable<MessageChannelSpec["slack"]>> = async (
  spec,
  message,
  context,
) => {
  const { apiKey, webhookURL, apiURL = defaultApi } = context.secret;
  const body = { channel: spec.channelID, ...slackBody(message.content) };
  if (apiKey)
    return await post(`${apiURL.replace(/\/+$/, "")}/chat.postMessage`, apiKey, body, message, context);
  if (webhookURL) return await postToWebhook(webhookURL, body, context);
  throw new DeliveryFailure("Cannot write to Slack: the channel's Secret has no `apiKey`", {
    permanent: true,
  });
};

function slackBody(content: MessageContent): Record<string, unknown> {
  if (typeof content === "string") return { text: content };
  const { channel, icon_emoji, icon_url, ...fields } = parseContent("a Slack message", SlackContent, content);
  return {
    ...fields,
    ...(channel ? { channel } : {}),
    ...(icon_emoji ? { icon_emoji } : icon_url ? { icon_url } : {}),
  };
}

async function post(
  url: string,
  apiKey: string,
  body: Record<string, unknown>,
  { id, threadTS }: OutgoingMessage,
  { fetch, signal }: ChannelContext,
) {
  const metadata = { event_type: "towpath_message", event_payload: { id } };
  const response = await fetch(url, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify({ ...body, metadata, ...(threadTS ? { thread_ts: threadTS } : {}) }),
    signal,
  });
  await refuseStatus("Slack", response);
  const answer = Answer.safeParse(await response.json().catch(() => undefined)).data;
  if (answer === undefined) throw new DeliveryFailure("Slack answered with what is no answer of its API");
  const { ok, ts, error = "no reason" } = answer;
  if (!ok)
    throw new DeliveryFailure(`Slack refuses the message: ${error}`, { permanent: !passing.has(error) });
  return { threadTS: threadTS || ts };
}

async function postToWebhook(url: string, body: Record<string, unknown>, { fetch, signal }: ChannelContext) {
  const { channel: _, ...rest } = body;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json; charset=utf-8" },
    body: JSON.stringify(rest),
    signal,
  });
  await refuseStatus("Slack", response);
  return {};
}
