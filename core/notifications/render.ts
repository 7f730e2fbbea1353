import { createHash } from "node:crypto";
import type { Expressions, HostFunctions } from "#core/expressions/expressions.ts";
import { defaultMessage, defaultSubject } from "#core/notifications/default-message.ts";
import type { EncodingType } from "#core/notifications/encoding.ts";
import { eventPayload } from "#core/notifications/event-payload.ts";
import { linkPlaceholders } from "#core/notifications/link-placeholders.ts";
import type { ChannelName } from "#core/notifications/message.ts";
import type { EventRouterSpec } from "#core/resources/event-router.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { EventRecord } from "#core/store/store.ts";

/** A message that waits to be decoded and sent. */
export interface RenderedMessage {
  channel: ChannelName;
  text: string;
  encodingType: EncodingType;
  subject: string;
  groupingKey?: string;
}

export interface Happening {
  event: EventRecord;
  /** What the event is about, as it stands now; absent when it is gone. */
  data: Resource | undefined;
  uiBaseURL: string;
}

/** In characters; longer than what people write. */
const longestKey = 256;

/** The functions that routers know beside the language's own. */
const functions: HostFunctions = {
  deref: { minArgs: 1, maxArgs: 1, call: ([value]) => value },
  escape_json_string: {
    minArgs: 1,
    maxArgs: 1,
    call: ([text]) => JSON.stringify(String(text ?? "")).slice(1, -1),
  },
};

/** What became of a router's message to one of its channels. */
export type Rendered = { message: RenderedMessage } | { problem: Error };

/**
 * The messages that a router makes of an event; none where its `when` is false. What is wrong with the one to
 * a channel does not keep the others. Throws where `when` cannot be told.
 */
export async function render(
  expressions: Pick<Expressions, "evaluate" | "renderTemplate">,
  { types: _, when, channels, output, encodingType, groupingKey }: EventRouterSpec,
  { event: record, data, uiBaseURL }: Happening,
): Promise<Rendered[]> {
  const event = eventPayload(record);
  const type = record.reason;
  const links = data?.kind === "Gate" ? linkPlaceholders(data) : undefined;
  const env = { type, event, data: data ?? null, ctx: { uiBaseURL }, links: links ?? null };
  if (when && !(await holds(expressions, when, env))) return [];
  const fill = (template: string) => expressions.renderTemplate(template, { env, functions });
  const subject = defaultSubject(type, event);

  async function textOf(own: EventRouterSpec["channels"][number]) {
    if (own.output) return { text: await fill(own.output), encodingType: own.encodingType ?? "" };
    if (output) return { text: await fill(output), encodingType: encodingType ?? "" };
    return { text: defaultMessage({ type, event, uiBaseURL, links }), encodingType: "" as const };
  }

  return await Promise.all(
    channels.map(async (own): Promise<Rendered> => {
      try {
        const group = groupingKey ? { groupingKey: boundedKey(await fill(groupingKey)) } : {};
        const channel = { kind: own.kind, name: own.name };
        return { message: { channel, subject, ...(await textOf(own)), ...group } };
      } catch (error) {
        return { problem: error as Error };
      }
    }),
  );
}

/** Keys are kept long after their messages, and are only ever compared: of a long one its hash does. */
function boundedKey(key: string): string {
  return key.length <= longestKey ? key : `sha256:${createHash("sha256").update(key).digest("hex")}`;
}

async function holds(
  expressions: Pick<Expressions, "evaluate">,
  when: string,
  env: Record<string, unknown>,
): Promise<boolean> {
  const value = await expressions.evaluate(when, { env, functions });
  if (typeof value === "boolean") return value;
  throw new Error(`"when" must be true or false, and is ${JSON.stringify(value)}: ${when}`);
}
