import type { Masker } from "#core/credentials/masker.ts";
import { secretValues } from "#core/credentials/secret-values.ts";
import type { EgressPolicy } from "#core/egress/policy.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import { type ChannelContext, DeliveryFailure } from "#core/notifications/channels/channel.ts";
import { carryByHttp } from "#core/notifications/channels/http.ts";
import { carryToSlack } from "#core/notifications/channels/slack.ts";
import { carryByMail } from "#core/notifications/channels/smtp.ts";
import type { ChannelName, ChannelType, OutgoingMessage, SentMessage } from "#core/notifications/message.ts";
import { type MessageChannelSpec, requestAnnotation } from "#core/resources/message-channel.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { Fetch } from "#core/step.ts";
import type { Store } from "#core/store/store.ts";

/** Where the Secrets of resources without a project stand. */
const systemProject = "kargo-system-resources";
/** Values of a channel's Secret that hide nothing. */
const plain = ["username", "apiURL"];

export interface SenderServices {
  store: Pick<Store, "get">;
  masker: Pick<Masker, "add">;
  expressions: Pick<Expressions, "evaluate">;
  fetchWith(signal: AbortSignal): Fetch;
  addresses: EgressPolicy["addresses"];
}

type FoundChannel = Resource & { spec: MessageChannelSpec };

/** Brings messages to channels, whoever sends them. */
export interface Sender {
  /** The type of a project's channel, or of one for all. Throws a DeliveryFailure when there is none. */
  typeOf(project: string, channel: ChannelName): Promise<ChannelType>;
  /** Throws a DeliveryFailure, or a StepFailure where the egress rules or the network are in the way. */
  send(
    project: string,
    channel: ChannelName,
    message: OutgoingMessage,
    signal: AbortSignal,
  ): Promise<SentMessage>;
}

export function createSender({ store, masker, expressions, fetchWith, addresses }: SenderServices): Sender {
  async function find(project: string, { kind, name }: ChannelName): Promise<FoundChannel> {
    const ref = channelRef(project, { kind, name });
    const found = await store.get(ref);
    if (found !== undefined) return found as FoundChannel;
    const where = ref.project === undefined ? "" : ` in project "${project}"`;
    throw new DeliveryFailure(`There is no ${kind} "${name}"${where}`, { permanent: true });
  }

  async function secretOf(
    project: string,
    { kind }: ChannelName,
    { secretRef }: MessageChannelSpec,
  ): Promise<Record<string, string>> {
    if (secretRef === undefined) return {};
    const owner = kind === "MessageChannel" ? project : (secretRef.namespace ?? systemProject);
    const secret = await store.get({ kind: "Secret", project: owner, name: secretRef.name });
    if (secret === undefined) {
      throw new DeliveryFailure(`There is no Secret "${secretRef.name}" in "${owner}" for the channel`, {
        permanent: true,
      });
    }
    const values = secretValues(secret);
    for (const [name, value] of Object.entries(values)) if (!plain.includes(name)) masker.add(value);
    return values;
  }

  return {
    async typeOf(project, channel) {
      return typeOf((await find(project, channel)).spec, channel);
    },
    async send(project, channel, message, signal) {
      const { spec, metadata } = await find(project, channel);
      const context: ChannelContext = {
        secret: await secretOf(project, channel, spec),
        // What a project's people write must not turn the operator's token to other ends.
        mayChangeRequest:
          channel.kind === "MessageChannel" || metadata.annotations?.[requestAnnotation] === "messages",
        fetch: fetchWith(signal),
        addresses,
        expressions,
        signal,
      };
      if (spec.slack !== undefined) return await carryToSlack(spec.slack, message, context);
      if (spec.smtp !== undefined) return await carryByMail(spec.smtp, message, context);
      if (spec.http !== undefined) return await carryByHttp(spec.http, message, context);
      return typeOf(spec, channel) as never;
    },
  };
}

export function channelRef(project: string, { kind, name }: ChannelName): ResourceRef {
  return kind === "MessageChannel" ? { kind, project, name } : { kind, name };
}

function typeOf({ slack, smtp, http }: MessageChannelSpec, { kind, name }: ChannelName): ChannelType {
  if (slack !== undefined) return "slack";
  if (smtp !== undefined) return "smtp";
  if (http !== undefined) return "http";
  throw new DeliveryFailure(`${kind} "${name}" says nothing of slack, smtp or http`, { permanent: true });
}
