import type { CheckedAddress } from "#core/egress/policy.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import type { OutgoingMessage, SentMessage } from "#core/notifications/message.ts";
import type { Fetch } from "#core/step.ts";

export interface ChannelContext {
  /** The values of the channel's Secret; masked by now. */
  secret: Readonly<Record<string, string>>;
  /** Under the egress rules, as all of these. */
  fetch: Fetch;
  addresses(host: string, port: number): Promise<CheckedAddress[]>;
  expressions: Pick<Expressions, "evaluate">;
  signal: AbortSignal;
  /** Whether a message may say how a request is made: its URL, method, headers and query. */
  mayChangeRequest: boolean;
}

/** Carries messages to one type of channel. Throws a DeliveryFailure, or what the network threw. */
export type Carry<Spec> = (
  spec: Spec,
  message: OutgoingMessage,
  context: ChannelContext,
) => Promise<SentMessage>;

/** A channel that did not take a message. */
export class DeliveryFailure extends Error {
  override name = "DeliveryFailure";
  /** Trying again cannot help. */
  readonly permanent: boolean;
  /** How long the receiver wants to be left alone. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    options: ErrorOptions & { permanent?: boolean; retryAfterSeconds?: number } = {},
  ) {
    super(message, options);
    this.permanent = options.permanent ?? false;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}
