/** A message's content: text, or what the message's encoding holds, in the form that the channel documents. */
export type MessageContent = string | Readonly<Record<string, unknown>>;

export interface OutgoingMessage {
  /** The same each time that the message is tried: receivers tell a second copy by it. */
  id: string;
  content: MessageContent;
  /** Of a mail, where the content says none. */
  subject: string;
  /** The Slack thread to write to. */
  threadTS?: string | undefined;
}

/** What the channel tells of a message that it took. */
export interface SentMessage {
  /** The Slack thread that the message stands in. */
  threadTS?: string | undefined;
}

export type ChannelKind = "MessageChannel" | "ClusterMessageChannel";
export type ChannelType = "slack" | "smtp" | "http";

/** A channel of the project, or one for all. */
export interface ChannelName {
  kind: ChannelKind;
  name: string;
}
