import { isIP } from "node:net";
import type { Transporter } from "nodemailer";
import { z } from "zod";
import { type Carry, DeliveryFailure } from "#core/notifications/channels/channel.ts";
import { parseContent } from "#core/notifications/channels/content.ts";
import type { MessageContent } from "#core/notifications/message.ts";
import type { MessageChannelSpec } from "#core/resources/message-channel.ts";

type Smtp = NonNullable<MessageChannelSpec["smtp"]>;

const timeoutMilliseconds = 30_000;
/** Spoken with TLS from the first byte on; on any other port TLS begins with STARTTLS. */
const implicitTlsPort = 465;

const MailContent = z.object({
  subject: z.string().optional(),
  body: z.string(),
  to: z.union([z.string(), z.array(z.string())]).optional(),
  html: z.boolean().optional(),
});

/** Sends a mail to the first recipient, with copies to the others. */
export const carryByMail: Carry<Smtp> = async (spec, message, { secret, addresses, signal }) => {
  const { body, subject, to, html } = mailOf(message.content);
  const [first, ...others] = [to ?? spec.to ?? []].flat();
  if (first === undefined) {
    throw new DeliveryFailure("Cannot send the mail: neither the channel nor the message says to whom", {
      permanent: true,
    });
  }
  const [checked] = await addresses(spec.host, spec.port);
  const { createTransport } = await import("nodemailer");
  const transport = createTransport({
    // The very address that was checked, so that no second look-up can give another.
    host: checked?.address ?? spec.host,
    port: spec.port,
    secure: spec.useTLS && spec.port === implicitTlsPort,
    requireTLS: spec.useTLS,
    ignoreTLS: !spec.useTLS,
    tls: {
      ...(isIP(spec.host) === 0 ? { servername: spec.host } : {}),
      rejectUnauthorized: !spec.insecureSkipVerify,
    },
    ...(secret.username ? { auth: { user: secret.username, pass: secret.password ?? "" } } : {}),
    connectionTimeout: timeoutMilliseconds,
    greetingTimeout: timeoutMilliseconds,
    socketTimeout: timeoutMilliseconds,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const stop = () => transport.close();
  signal.addEventListener("abort", stop, { once: true });
  try {
    await transport.sendMail({
      from: spec.from,
      to: first,
      cc: others,
      subject: subject || message.subject,
      ...(html ? { html: body } : { text: body }),
      messageId: `<${message.id}@${domainOf(spec.from)}>`,
      headers: { "X-Towpath-Delivery": message.id },
    });
    return {};
  } catch (error) {
    signal.throwIfAborted();
    throw mailFailure(spec, error);
  } finally {
    signal.removeEventListener("abort", stop);
    (transport as Transporter).close();
  }
};

function mailOf(content: MessageContent): z.infer<typeof MailContent> {
  return typeof content === "string" ? { body: content } : parseContent("a mail", MailContent, content);
}

function domainOf(address: string): string {
  return /@([\w.-]+)>?\s*$/.exec(address)?.[1] ?? "towpath.invalid";
}

/** A mail server's codes from 500 on are its last word. */
function mailFailure({ host, port }: Smtp, error: unknown): DeliveryFailure {
  const { responseCode, code, message } = error as Error & { responseCode?: number; code?: string };
  const isFinal = (responseCode ?? 0) >= 500 || code === "EENVELOPE";
  return new DeliveryFailure(`Cannot send the mail by ${host}:${port}: ${message}`, {
    cause: error,
    permanent: isFinal,
  });
}
