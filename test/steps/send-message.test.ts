import { describe, expect, it } from "vitest";
import { DeliveryFailure } from "#core/notifications/channels/channel.ts";
import type { ChannelName, OutgoingMessage } from "#core/notifications/message.ts";
import type { StepMessages } from "#core/step.ts";
import sendMessage from "#steps/send-message.ts";
import { answeringServer } from "#test/core/metrics/metric-world.ts";
import { serveMail } from "#test/core/notifications/mail-server.ts";
import { channel, createWorld, secret } from "#test/core/notifications/notification-world.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const team: ChannelName = { kind: "MessageChannel", name: "team" };
const config = (fields: object) => ({ channel: team, message: "it goes on", ...fields });

/** Channels as the daemon has them, on real servers. */
async function channelsOf(...resources: Parameters<typeof createWorld>[0]): Promise<StepMessages> {
  const { sender } = await createWorld(resources);
  const { signal } = new AbortController();
  return {
    typeOf: (name) => sender.typeOf("shop", name),
    send: (name, message) => sender.send("shop", name, { ...message, id: "m-1" }, signal),
  };
}

async function slack(answer: object = { ok: true, ts: "100.1" }) {
  const { url, seen } = await answeringServer(answer);
  const messages = await channelsOf(
    secret("slack", { apiKey: "xoxb-secret", apiURL: url }),
    channel("team", { secretRef: { name: "slack" }, slack: { channelID: "C1" } }),
  );
  return { messages, sent: () => seen.map(({ body }) => JSON.parse(body) as Record<string, unknown>) };
}

describe("send-message to Slack", () => {
  it.each([
    {
      says: "writes to the channel's own",
      fields: {},
      sent: { channel: "C1", text: "it goes on" },
      thread: "100.1",
    },
    {
      says: "writes to another channel and to a thread",
      fields: { slack: { channelID: "C2", threadTS: "99.9" } },
      sent: { channel: "C2", text: "it goes on", thread_ts: "99.9" },
      thread: "99.9",
    },
    {
      says: "takes everything from a structured message",
      fields: {
        encodingType: "yaml",
        message: "channel: C3\nblocks: [{type: divider}]",
        slack: { channelID: "C2", threadTS: "99.9" },
      },
      sent: { channel: "C3", blocks: [{ type: "divider" }] },
      thread: "100.1",
    },
    {
      says: "takes an empty thread for none",
      fields: { slack: { threadTS: "" } },
      sent: { channel: "C1", text: "it goes on" },
      thread: "100.1",
    },
  ])("$says", async ({ fields, sent, thread }) => {
    const channelOf = await slack();
    const outcome = await runStep(sendMessage, config(fields), fakeContext({ messages: channelOf.messages }));
    expect(outcome).toMatchObject({ status: "succeeded", output: { slack: { threadTS: thread } } });
    const [{ metadata: _, ...body } = {}] = channelOf.sent();
    expect(body).toEqual(sent);
  });

  it("sends once, however often it is run", async () => {
    const channelOf = await slack();
    const ctx = fakeContext({ messages: channelOf.messages });
    await runStep(sendMessage, config({}), ctx);
    expect(await runStep(sendMessage, config({}), ctx)).toMatchObject({
      output: { slack: { threadTS: "100.1" } },
    });
    expect(channelOf.sent()).toHaveLength(1);
  });

  it.each([
    {
      what: "a refusal",
      answer: { ok: false, error: "not_in_channel" },
      fields: {},
      kind: "refused",
      says: "Slack refuses the message: not_in_channel",
    },
    {
      what: "a passing trouble",
      answer: { ok: false, error: "ratelimited" },
      fields: {},
      kind: "transient",
      says: "ratelimited",
    },
    {
      what: "a message that is no JSON",
      answer: {},
      fields: { encodingType: "json", message: "{" },
      kind: "refused",
      says: "The message is no JSON",
    },
    {
      what: "a channel that is not there",
      answer: {},
      fields: { channel: { ...team, name: "gone" } },
      kind: "refused",
      says: 'There is no MessageChannel "gone"',
    },
  ])("fails with $what, and says so", async ({ answer, fields, kind, says }) => {
    const { messages } = await slack(answer);
    await expect(runStep(sendMessage, config(fields), fakeContext({ messages }))).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(says),
    });
  });
});

describe("send-message by mail", () => {
  it("sends what it is told to whom it is told", async () => {
    const { port, mails } = await serveMail();
    const messages = await channelsOf(
      secret("smtp", { username: "towpath", password: "mail-password" }, "kargo-system-resources"),
      channel(
        "mail",
        {
          secretRef: { name: "smtp" },
          smtp: {
            from: "ci@example.com",
            to: ["a@example.com"],
            host: "localhost",
            port,
            insecureSkipVerify: true,
          },
        },
        "ClusterMessageChannel",
      ),
    );
    const fields = {
      channel: { kind: "ClusterMessageChannel", name: "mail" },
      smtp: { to: ["b@example.com"], subject: "Off it goes", html: true },
    };
    const outcome = await runStep(sendMessage, config(fields), fakeContext({ messages }));
    expect(outcome).toMatchObject({ status: "succeeded", output: { smtp: {} } });
    expect(mails).toMatchObject([{ to: ["b@example.com"], secure: true }]);
    expect(mails[0]?.text).toMatch(/^Subject: Off it goes$/m);
    expect(mails[0]?.text).toContain("Content-Type: text/html");
  });
});

describe("send-message", () => {
  it("leaves HTTP to event routers", async () => {
    const messages = await channelsOf(channel("team", { http: { url: "http://127.0.0.1:1" } }));
    await expect(runStep(sendMessage, config({}), fakeContext({ messages }))).rejects.toThrow(
      'use the step "http"',
    );
  });

  it("needs a daemon", async () => {
    await expect(runStep(sendMessage, config({}))).rejects.toThrow("only a daemon has message channels");
  });

  it("tries again what may pass", async () => {
    const messages: StepMessages = {
      typeOf: async () => "slack",
      send: async (_: ChannelName, __: Omit<OutgoingMessage, "id">) => {
        throw new DeliveryFailure("busy");
      },
    };
    await expect(runStep(sendMessage, config({}), fakeContext({ messages }))).rejects.toMatchObject({
      kind: "transient",
    });
  });
});
