import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { onTestFinished } from "vitest";

export interface Mail {
  from: string;
  to: string[];
  user: string | undefined;
  /** Whether it came over TLS. */
  secure: boolean;
  text: string;
}

const user = { name: "towpath", password: "mail-password" };

/** A real SMTP server on loopback that asks for a name and a password, and keeps the mails that it takes. */
export async function serveMail(options: SMTPServerOptions = {}): Promise<{ port: number; mails: Mail[] }> {
  const mails: Mail[] = [];
  const read = (file: string) => readFileSync(new URL(`../../fixtures/tls/${file}`, import.meta.url));
  const server = new SMTPServer({
    key: read("key.pem"),
    cert: read("cert.pem"),
    onAuth({ username, password }, _, done) {
      if (username === user.name && password === user.password) done(null, { user: username });
      else done(new Error("Invalid username or password"));
    },
    onData(stream, session, done) {
      let text = "";
      stream.on("data", (chunk) => {
        text += chunk;
      });
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        mails.push({
          from: mailFrom ? mailFrom.address : "",
          to: rcptTo.map(({ address }) => address),
          user: session.user as string | undefined,
          secure: session.secure,
          text: text.replaceAll("\r\n", "\n"),
        });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails };
}
