import { describe, expect, it } from "vitest";
import type { ChannelKind } from "#core/notifications/message.ts";
import { answeringServer } from "#test/core/metrics/metric-world.ts";
import { serveMail } from "#test/core/notifications/mail-server.ts";
import {
  channel,
  createWorld,
  happened,
  promotion,
  router,
  secret,
} from "#test/core/notifications/notification-world.ts";

const sink = (url: string, fields: object = {}) => channel("sink", { http: { url, ...fields } });

describe("an event router", () => {
  it("tells a channel what happened, as its template says", async () => {
    const { url, seen } = await answeringServer({});
    const world = await createWorld([
      sink(`${url}/hook?a=1`, { queryParams: [{ name: "source", value: "towpath" }] }),
      promotion(),
      router({
        encodingType: "json",
        output: `{
          "headers": {"X-Stage": "\${{ event.stageName }}"},
          "body": {
            "text": "\${{ type }}: \${{ escape_json_string(event.message) }} (\${{ deref(event.actor) }})",
            "image": "\${{ event.freight.images[0].tag }} of \${{ event.freight.alias }}",
            "team": "\${{ data.metadata.labels.team }}", "ui": "\${{ ctx.uiBaseURL }}"
          }
        }`,
      }),
    ]);
    await world.tell(happened());
    expect(seen).toMatchObject([
      {
        method: "POST",
        path: "/hook?a=1&source=towpath",
        headers: {
          "x-stage": "test",
          "content-type": "application/json",
          "x-towpath-delivery": expect.any(String),
        },
      },
    ]);
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({
      text: 'PromotionFailed: Step "deploy" failed: "no" (email:jo@example.com)',
      image: "v1 of jolly-otter",
      team: "x",
      ui: "https://towpath.example.com",
    });
    expect(await world.waiting()).toBe(0);
    expect(await world.statusOf("MessageChannel", "sink")).toEqual({
      lastDeliveredAt: "2030-01-02T03:04:05.000Z",
    });
    expect(world.failures).toEqual([]);
  });

  it("tells the same thing in plain words without a template", async () => {
    const { url, seen } = await answeringServer({});
    const world = await createWorld([sink(url), router({ types: ["FreightVerificationFailed"] })]);
    await world.tell(
      happened({
        reason: "FreightVerificationFailed",
        message: "too slow",
        regarding: { kind: "Freight", project: "shop", name: "f1" },
      }),
    );
    expect(seen[0]?.body).toBe(
      [
        "Freight verification failed: shop/test",
        "too slow",
        "Freight: jolly-otter (f1)",
        "Stage: test",
        "By: email:jo@example.com",
        "https://towpath.example.com",
      ].join("\n"),
    );
  });

  it.each([
    { what: "another type", event: happened({ reason: "PromotionSucceeded" }), told: 0 },
    { what: "another project", event: happened({ project: "other" }), told: 0 },
    { what: "everything", event: happened({ project: undefined }), told: 1 },
    { what: "a time before it was made", event: happened({ at: "2029-12-31T23:59:59Z" }), told: 0 },
    {
      what: "a stage that its condition names",
      event: happened({}, { "stage-name": "prod" }),
      told: 1,
      when: "event.stageName == 'prod'",
    },
    {
      what: "a stage that its condition leaves out",
      event: happened(),
      told: 0,
      when: "event.stageName == 'prod'",
    },
  ])("tells $told of an event of $what", async ({ event, told, when }) => {
    const { url, seen } = await answeringServer({});
    const world = await createWorld([sink(url), router({ when })]);
    await world.tell(event);
    expect(seen).toHaveLength(told);
  });

  it("tells each channel in its own way", async () => {
    const one = await answeringServer({});
    const two = await answeringServer({});
    const world = await createWorld([
      sink(one.url),
      channel("everybody", { http: { url: two.url, method: "PUT" } }, "ClusterMessageChannel"),
      router({
        output: "for all",
        channels: [
          { kind: "MessageChannel", name: "sink" },
          { kind: "ClusterMessageChannel", name: "everybody", output: "body: [1, 2]", encodingType: "yaml" },
        ],
      }),
    ]);
    await world.tell(happened());
    expect(one.seen[0]).toMatchObject({ method: "POST", body: "for all" });
    expect(two.seen[0]).toMatchObject({ method: "PUT", body: "[1,2]" });
  });

  it.each([
    {
      what: "a template that names nothing",
      spec: { output: "${{ event.nothing.here }}" },
      says: "Cannot make a message of event PromotionFailed",
    },
    {
      what: "a condition that is no truth",
      spec: { when: "1 + 1" },
      says: '"when" must be true or false, and is 2',
    },
  ])("tells in its status and in an event of $what, and goes on", async ({ spec, says }) => {
    const { url, seen } = await answeringServer({});
    const world = await createWorld([
      sink(url),
      router(spec),
      router({ types: ["PromotionSucceeded"] }, "other"),
    ]);
    await world.tell(happened(), happened({ reason: "PromotionSucceeded" }));
    expect(await world.statusOf("EventRouter", "router")).toMatchObject({
      lastFailure: { event: "PromotionFailed", message: expect.stringContaining(says) },
    });
    expect(await world.reasons()).toContain("EventRoutingFailed");
    expect(seen).toHaveLength(1);
  });

  it("tells the other channels where the message to one cannot be made", async () => {
    const { url, seen } = await answeringServer({});
    const channels = [
      { kind: "MessageChannel" as const, name: "sink", output: "${{ event.nothing.here }}" },
      { kind: "MessageChannel" as const, name: "sink", output: "fine" },
    ];
    const world = await createWorld([sink(url), router({ channels })]);
    await world.tell(happened());
    expect(seen.map(({ body }) => body)).toEqual(["fine"]);
    expect(await world.reasons()).toContain("EventRoutingFailed");
  });

  it("hears of what happened while it was away, once", async () => {
    const { url, seen } = await answeringServer({});
    const world = await createWorld([sink(url), router({})]);
    await world.tell(happened({ message: "one" }), happened({ message: "two" }));
    await world.tell(happened({ message: "three" }));
    await world.pass(120);
    expect(seen.map(({ body }) => body.split("\n")[1])).toEqual(
      expect.arrayContaining(["one", "two", "three"]),
    );
    expect(seen).toHaveLength(3);
  });

  it("tells no secrets", async () => {
    const { url, seen } = await answeringServer({});
    const world = await createWorld([sink(url), router({ output: "${{ event.message }}" })]);
    world.masker.add("s3cr3t-token");
    await world.tell(happened({ message: "it was s3cr3t-token" }));
    expect(seen[0]?.body).toBe("it was ***");
  });

  it("drops what comes on top of a full queue, and says so", async () => {
    const { url } = await answeringServer(() => ({ status: 503, body: "" }));
    const world = await createWorld([sink(url), router({})], { longestQueue: 2 });
    await world.tell(happened(), happened(), happened());
    expect(await world.waiting()).toBe(2);
    expect(await world.reasons()).toContain("MessageDropped");
  });
});

describe("a message that a channel does not take", () => {
  it("is tried again, ever more rarely, under the same id", async () => {
    let status = 503;
    const { url, seen } = await answeringServer(() => ({ status, body: "busy" }));
    const world = await createWorld([sink(url), router({})]);
    await world.tell(happened());
    expect(await world.statusOf("MessageChannel", "sink")).toMatchObject({
      lastFailure: {
        event: "PromotionFailed",
        message: expect.stringContaining("answered 503: busy"),
        attempts: 1,
        givenUp: false,
      },
    });
    await world.pass(9);
    expect(seen).toHaveLength(1);
    await world.pass(1);
    expect(seen).toHaveLength(2);
    await world.pass(19);
    expect(seen).toHaveLength(2);
    status = 200;
    await world.pass(1);
    expect(seen).toHaveLength(3);
    expect(new Set(seen.map(({ headers }) => headers["x-towpath-delivery"])).size).toBe(1);
    expect(await world.waiting()).toBe(0);
  });

  it("is given up in the end, with an event that says why", async () => {
    const { url, seen } = await answeringServer(() => ({ status: 500, body: "" }));
    const world = await createWorld([sink(url), router({})]);
    await world.tell(happened());
    for (let hours = 0; hours < 12; hours++) await world.pass(3600);
    expect(seen.length).toBeGreaterThan(10);
    expect(await world.waiting()).toBe(0);
    expect(await world.reasons()).toContain("MessageUndeliverable");
  });

  it.each([
    {
      what: "a refusal",
      answer: { status: 404, body: "no such hook" },
      spec: {},
      says: "answered 404: no such hook",
    },
    {
      what: "what is no JSON",
      answer: { body: "" },
      spec: { output: "{", encodingType: "json" as const },
      says: "The message is no JSON",
    },
    {
      what: "a method that there is not",
      answer: { body: "" },
      spec: { output: "method: CONNECT", encodingType: "yaml" as const },
      says: "method",
    },
    {
      what: "a field of another type",
      answer: { body: "" },
      spec: { output: "headers: 1", encodingType: "yaml" as const },
      says: "headers",
    },
    {
      what: "a channel that is not there",
      answer: { body: "" },
      spec: { channels: [{ kind: "MessageChannel" as const, name: "gone" }] },
      says: 'There is no MessageChannel "gone" in project "shop"',
    },
  ])("for $what is given up at once", async ({ answer, spec, says }) => {
    const { url } = await answeringServer(() => answer);
    const world = await createWorld([sink(url), router(spec)]);
    await world.tell(happened());
    expect(await world.waiting()).toBe(0);
    const [told] = (await world.store.events({})).filter(({ reason }) => reason === "MessageUndeliverable");
    expect(told?.message).toContain(says);
  });

  it("waits as long as a server that has too much to do asks, whatever the expressions say", async () => {
    let status = 429;
    const { url, seen } = await answeringServer(() => ({ status, body: "" }));
    const world = await createWorld([sink(url, { successExpression: "response.status == 429" }), router({})]);
    await world.tell(happened());
    expect(await world.waiting()).toBe(1);
    status = 200;
    await world.pass(10);
    expect(seen).toHaveLength(2);
    expect(await world.waiting()).toBe(1);
  });
});

describe("an HTTP channel", () => {
  it.each([
    { answer: { ok: true }, fields: { successExpression: "response.status == 200" }, taken: true },
    { answer: { ok: true }, fields: { failureExpression: "response.status == 200" }, taken: false },
    { answer: { ok: true }, fields: {}, taken: true },
  ])("judges an answer by $fields", async ({ answer, fields, taken }) => {
    const { url } = await answeringServer(answer);
    const world = await createWorld([sink(url, fields), router({})]);
    await world.tell(happened());
    expect((await world.statusOf("MessageChannel", "sink"))?.lastDeliveredAt !== undefined).toBe(taken);
  });

  it.each<{ values: Record<string, string>; header: string }>([
    { values: { bearerToken: "t0ken" }, header: "Bearer t0ken" },
    { values: { authorization: "Custom t0ken" }, header: "Custom t0ken" },
  ])("proves who calls, and not to others: $header", async ({ values, header }) => {
    const own = await answeringServer({});
    const other = await answeringServer({});
    const elsewhere = `url: ${other.url}\nbody: x`;
    const world = await createWorld([
      secret("hook", values),
      channel("sink", {
        secretRef: { name: "hook" },
        http: { url: own.url, headers: [{ name: "X-Key", value: "k" }] },
      }),
      router({}),
      router({ output: elsewhere, encodingType: "yaml" }, "elsewhere"),
    ]);
    await world.tell(happened());
    expect(own.seen[0]?.headers.authorization).toBe(header);
    expect(own.seen[0]?.headers["x-key"]).toBe("k");
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
    expect(other.seen[0]?.headers["x-key"]).toBeUndefined();
  });

  it.each<{ sets: string; kind?: ChannelKind; annotations?: Record<string, string>; taken: boolean }>([
    { sets: "method: DELETE", taken: false },
    { sets: "url: OWN/admin/keys", taken: false },
    { sets: "headers: {X-Sudo: root}", taken: false },
    { sets: "queryParams: {sudo: root}", taken: false },
    { sets: "successExpression: response.status == 200", taken: true },
    { sets: "method: DELETE", annotations: { "towpath.dev/request-set-by": "anybody" }, taken: false },
    { sets: "method: DELETE", annotations: { "towpath.dev/request-set-by": "messages" }, taken: true },
    { sets: "method: DELETE", kind: "MessageChannel", taken: true },
  ])(
    "lets messages of projects change its request only where it is theirs: $sets, $kind, $annotations",
    async ({ sets, kind = "ClusterMessageChannel", annotations = {}, taken }) => {
      const { url, seen } = await answeringServer({});
      const own = channel("hook", { secretRef: { name: "hook" }, http: { url } }, kind);
      const owner = kind === "MessageChannel" ? "shop" : "kargo-system-resources";
      const world = await createWorld([
        secret("hook", { bearerToken: "t0ken" }, owner),
        { ...own, metadata: { ...own.metadata, annotations } },
        router({
          channels: [{ kind, name: "hook" }],
          output: `${sets.replace("OWN", url)}\nbody: x`,
          encodingType: "yaml",
        }),
      ]);
      await world.tell(happened());
      expect(seen.map(({ headers }) => headers.authorization)).toEqual(taken ? ["Bearer t0ken"] : []);
      const { lastFailure } = (await world.statusOf(kind, "hook")) as { lastFailure?: { message: string } };
      expect(lastFailure?.message.includes(`sets ${sets.split(":")[0]}, `) ?? false).toBe(!taken);
      expect(await world.waiting()).toBe(0);
    },
  );

  it("is held by the egress rules", async () => {
    const world = await createWorld([sink("http://169.254.169.254/latest"), router({})]);
    await world.tell(happened());
    expect((await world.statusOf("MessageChannel", "sink"))?.lastFailure).toMatchObject({
      message: expect.stringContaining("169.254.169.254"),
    });
  });
});

describe("a Slack channel", () => {
  const slack = (url: string, values: Record<string, string> = { apiKey: "xoxb-secret" }) => [
    secret("slack", { ...values, apiURL: `${url}/api` }),
    channel("sink", { secretRef: { name: "slack" }, slack: { channelID: "C1" } }),
  ];

  it("writes by the Web API, with blocks and to another channel where the message says so", async () => {
    const { url, seen } = await answeringServer({ ok: true, ts: "111.222" });
    const blocks = 'blocks: [{type: section, text: {type: mrkdwn, text: "*${{ event.stageName }}*"}}]';
    const world = await createWorld([
      ...slack(url),
      router({ encodingType: "yaml", output: `${blocks}\nchannel: C2\nicon_emoji: ":fire:"\nicon_url: x` }),
    ]);
    await world.tell(happened());
    expect(seen[0]).toMatchObject({
      path: "/api/chat.postMessage",
      headers: { authorization: "Bearer xoxb-secret" },
    });
    expect(JSON.parse(seen[0]?.body ?? "")).toMatchObject({
      channel: "C2",
      icon_emoji: ":fire:",
      blocks: [{ type: "section", text: { type: "mrkdwn", text: "*test*" } }],
      metadata: { event_type: "towpath_message", event_payload: { id: expect.any(String) } },
    });
  });

  it("keeps messages of one group in one thread", async () => {
    let next = 100;
    const { url, seen } = await answeringServer(() => ({ body: { ok: true, ts: `${next++}.0` } }));
    const world = await createWorld([...slack(url), router({ groupingKey: "${{ event.freight.name }}" })]);
    await world.tell(happened(), happened(), happened({}, { "freight-name": "f2" }));
    await world.tell(happened());
    const threads = seen.map(({ body }) => JSON.parse(body).thread_ts as string | undefined);
    expect(threads.filter((thread) => thread === undefined)).toHaveLength(2);
    expect(new Set(threads).size).toBe(2);
  });

  it.each([
    { what: "a short key", groupingKey: "release", kept: "release" },
    { what: "a key of any length", groupingKey: "x".repeat(100_000), kept: /^sha256:[0-9a-f]{64}$/ },
  ])("that is for all keeps threads of projects apart, by $what", async ({ groupingKey, kept }) => {
    let next = 100;
    const { url, seen } = await answeringServer(() => ({ body: { ok: true, ts: `${next++}.0` } }));
    const channels = [{ kind: "ClusterMessageChannel" as const, name: "all" }];
    const ours = router({ channels, groupingKey, output: "shop" });
    const theirs = router({ channels, groupingKey, output: "other" });
    const world = await createWorld([
      secret("slack", { apiKey: "xoxb-secret", apiURL: `${url}/api` }, "kargo-system-resources"),
      channel("all", { secretRef: { name: "slack" }, slack: { channelID: "C1" } }, "ClusterMessageChannel"),
      ours,
      { ...theirs, metadata: { ...theirs.metadata, namespace: "other" } },
    ]);
    for (const project of ["shop", "other", "shop", "other"]) await world.tell(happened({ project }));
    const told = seen.map(({ body }) => JSON.parse(body) as { text: string; thread_ts?: string });
    expect(told.map(({ text, thread_ts }) => [text, thread_ts])).toEqual([
      ["shop", undefined],
      ["other", undefined],
      ["shop", "100.0"],
      ["other", "101.0"],
    ]);
    const uid = (await world.store.get({ kind: "ClusterMessageChannel", name: "all" }))?.metadata.uid;
    const threads = await world.store.journal(`${uid}/threads`, "project:shop");
    expect(threads?.value).toEqual([
      [typeof kept === "string" ? kept : expect.stringMatching(kept), "100.0"],
    ]);
  });

  it("writes to an incoming webhook where the Secret has one", async () => {
    const { url, seen } = await answeringServer("ok");
    const world = await createWorld([
      ...slack(url, { webhookURL: `${url}/services/T/B/x` }),
      router({ output: "hi" }),
    ]);
    await world.tell(happened());
    expect(seen[0]).toMatchObject({ path: "/services/T/B/x", body: '{"text":"hi"}' });
  });

  it.each([
    { error: "channel_not_found", waiting: 0 },
    { error: "ratelimited", waiting: 1 },
  ])("gives up what cannot be cured: $error leaves $waiting waiting", async ({ error, waiting }) => {
    const { url } = await answeringServer({ ok: false, error });
    const world = await createWorld([...slack(url), router({})]);
    await world.tell(happened());
    expect(await world.waiting()).toBe(waiting);
    expect((await world.statusOf("MessageChannel", "sink"))?.lastFailure).toMatchObject({
      message: `Slack refuses the message: ${error}`,
    });
  });
});

describe("a mail channel", () => {
  const mail = (port: number, fields: object = {}, password = "mail-password") => [
    secret("smtp", { username: "towpath", password }),
    channel("sink", {
      secretRef: { name: "smtp" },
      smtp: {
        from: "Towpath <ci@example.com>",
        to: ["a@example.com", "b@example.com"],
        host: "127.0.0.1",
        port,
        insecureSkipVerify: true,
        ...fields,
      },
    }),
  ];

  it("sends over TLS with a name and a password, to the first and with copies to the others", async () => {
    const { port, mails } = await serveMail();
    const world = await createWorld([...mail(port), router({})]);
    await world.tell(happened());
    expect(await world.statusOf("MessageChannel", "sink")).toEqual({ lastDeliveredAt: expect.any(String) });
    expect(mails).toMatchObject([
      { from: "ci@example.com", to: ["a@example.com", "b@example.com"], user: "towpath", secure: true },
    ]);
    expect(mails[0]?.text).toMatch(/^To: a@example.com$/m);
    expect(mails[0]?.text).toMatch(/^Cc: b@example.com$/m);
    expect(mails[0]?.text).toMatch(/^Subject: Promotion failed: shop\/test$/m);
    expect(mails[0]?.text).toMatch(/^Message-ID: <[\w-]+@example.com>$/m);
  });

  it("sends what a structured message says", async () => {
    const { port, mails } = await serveMail();
    const output =
      "<m><subject>Hi\r\nBcc: evil@example.com</subject><body>&lt;b&gt;${{ event.stageName }}</body><to>c@example.com</to><html>true</html></m>";
    const world = await createWorld([...mail(port), router({ output, encodingType: "xml" })]);
    await world.tell(happened());
    expect(mails).toMatchObject([{ to: ["c@example.com"] }]);
    expect(mails[0]?.text).toContain("Content-Type: text/html");
    expect(mails[0]?.text).toContain("<b>test");
    expect(mails[0]?.text).not.toMatch(/^Bcc:/m);
  });

  it.each([
    {
      what: "a server without TLS",
      options: { hideSTARTTLS: true, disabledCommands: ["STARTTLS"] },
      fields: {},
      says: "Cannot send the mail by",
    },
    {
      what: "a certificate that nobody knows",
      options: {},
      fields: { insecureSkipVerify: false },
      says: "certificate",
    },
  ])("sends nothing, the password least of all, to $what", async ({ options, fields, says }) => {
    const { port, mails } = await serveMail(options);
    const world = await createWorld([...mail(port, fields), router({})]);
    await world.tell(happened());
    expect(mails).toEqual([]);
    expect((await world.statusOf("MessageChannel", "sink"))?.lastFailure).toMatchObject({
      message: expect.stringContaining(says),
    });
  });

  it("gives up with a wrong password, and does not tell it", async () => {
    const { port } = await serveMail();
    const world = await createWorld([...mail(port, {}, "wrong-password"), router({})]);
    await world.tell(happened());
    expect(await world.waiting()).toBe(0);
    expect(JSON.stringify(await world.store.events({}))).not.toContain("wrong-password");
  });

  it("is held by the egress rules", async () => {
    const world = await createWorld([...mail(25, { host: "10.0.0.1" }), router({})]);
    await world.tell(happened());
    expect((await world.statusOf("MessageChannel", "sink"))?.lastFailure).toMatchObject({
      message: expect.stringContaining("10.0.0.1"),
    });
  });
});

describe("a message about a gate", () => {
  const gate = (links?: object) => ({
    apiVersion: "towpath.dev/v1alpha1",
    kind: "Gate",
    metadata: { name: "test.1.hold", namespace: "shop" },
    spec: {
      promotion: "test.1",
      promotionUid: "u",
      stage: "test",
      step: "hold",
      message: "Ready?",
      ...(links ? { links } : {}),
    },
  });
  const opened = happened({
    reason: "GateOpened",
    message: "Gate asks: Ready?",
    regarding: { kind: "Gate", project: "shop", name: "test.1.hold" },
    annotations: { "event.towpath.dev/gate-stage": "test", "event.towpath.dev/gate-promotion": "test.1" },
  });

  it("has links that decide it, which no queue keeps", async () => {
    let status = 503;
    const { url, seen } = await answeringServer(() => ({ status, body: "" }));
    const world = await createWorld([
      sink(url),
      gate({ expiresAt: "2030-01-03T00:00:00Z" }),
      router({
        types: ["GateOpened"],
        output: "${{ event.stageName }}/${{ event.promotionName }}: ${{ links.release }}",
      }),
    ]);
    await world.tell(opened);
    expect(JSON.stringify(await world.store.list({ kind: "MessageDelivery" }))).not.toContain(
      "https://towpath.example.com/gate-link",
    );
    status = 200;
    await world.pass(10);
    expect(seen.at(-1)?.body).toMatch(/^test\/test\.1: https:\/\/towpath\.example\.com\/gate-link\/\S+$/);
  });

  it("has none where the gate wants none", async () => {
    const { url, seen } = await answeringServer({});
    const world = await createWorld([sink(url), gate(), router({ types: ["GateOpened"] })]);
    await world.tell(opened);
    expect(seen[0]?.body).toContain("Gate asks: Ready?");
    expect(seen[0]?.body).not.toContain("gate-link");
  });
});
