import { describe, expect, it } from "vitest";
import { freight, project, promotion, stage } from "#test/server/support/resources.ts";
import { openStream } from "#test/server/support/stream.ts";
import { startTestServer } from "#test/server/support/test-server.ts";

const stagesUrl = "/v1beta1/projects/shop/stages";

describe("watching", () => {
  it("tells what is there, and then what changes", async () => {
    const server = await startTestServer();
    await server.put(project(), stage("test"));
    const stream = await openStream(server, `${stagesUrl}?watch=true`);
    expect(await stream.next()).toMatchObject({
      json: { type: "ADDED", object: { metadata: { name: "test" } } },
    });
    await server.put(stage("prod"));
    expect(await stream.next()).toMatchObject({
      json: { type: "ADDED", object: { metadata: { name: "prod" } } },
    });
    await server.call("DELETE", `${stagesUrl}/prod`);
    expect(await stream.next()).toMatchObject({
      json: { type: "DELETED", object: { metadata: { name: "prod" } } },
    });
  });

  it("goes on from the place of a list, with nothing lost in between", async () => {
    const server = await startTestServer();
    await server.put(project(), stage("test"));
    const list = await server.json<{ metadata: { resourceVersion: string } }>("GET", stagesUrl);
    await server.put(stage("prod"));
    const at = list.metadata.resourceVersion;
    const stream = await openStream(server, `${stagesUrl}?watch=true&resourceVersion=${at}`);
    expect(await stream.next()).toMatchObject({
      json: { type: "ADDED", object: { metadata: { name: "prod" } } },
    });
  });

  it("goes on after the last event that a reader saw", async () => {
    const server = await startTestServer();
    await server.put(project());
    const { metadata } = await server.json<{ metadata: { resourceVersion: string } }>("GET", stagesUrl);
    const url = `${stagesUrl}?watch=true&resourceVersion=${metadata.resourceVersion}`;
    const first = await openStream(server, url);
    await server.put(stage("one"), stage("two"));
    const { id } = await first.next();
    await first.close();
    const second = await openStream(server, url, { "Last-Event-ID": id as string });
    expect(await second.next()).toMatchObject({ json: { object: { metadata: { name: "two" } } } });
  });

  it.each(["0-17", "nonsense", "17"])(
    "tells a reader that comes back from %s to list again",
    async (place) => {
      const server = await startTestServer();
      await server.put(project());
      const stream = await openStream(server, `${stagesUrl}?watch=true&resourceVersion=${place}`);
      expect(await stream.next()).toMatchObject({ event: "error", json: { code: "out_of_range" } });
    },
  );

  it("tells a reader of what no longer fits that it is gone", async () => {
    const server = await startTestServer();
    await server.put(project(), stage("test"));
    const stream = await openStream(server, `${stagesUrl}?watch=true&freightOrigins=app`);
    expect(await stream.next()).toMatchObject({ json: { type: "ADDED" } });
    const moved = stage("test", {
      requestedFreight: [{ origin: { kind: "Warehouse", name: "other" }, sources: { direct: true } }],
    });
    await server.call("PUT", "/v1beta1/resources", moved);
    expect(await stream.next()).toMatchObject({ json: { type: "DELETED" } });
  });

  it("watches one resource, which must be there", async () => {
    const server = await startTestServer();
    await server.put(project(), stage("test"));
    expect((await server.call("GET", `${stagesUrl}/nowhere?watch=true`)).status).toBe(404);
    const stream = await openStream(server, `${stagesUrl}/test?watch=true`);
    expect(await stream.next()).toMatchObject({ json: { type: "ADDED" } });
  });

  it("never tells of Secrets", async () => {
    const server = await startTestServer();
    await server.put(project());
    const stream = await openStream(server, "/v1beta1/projects/shop/freight?watch=true");
    await server.call("POST", "/v1beta1/projects/shop/generic-credentials", {
      name: "a",
      data: { key: "value" },
    });
    await server.put(freight("abc"));
    expect(await stream.next()).toMatchObject({ json: { object: { kind: "Freight" } } });
  });

  it("ends a stream whose reader lags too far behind, and no other work", async () => {
    const server = await startTestServer({ limits: { streamBacklog: 2 } });
    await server.put(project());
    const stream = await openStream(server, `${stagesUrl}?watch=true`);
    await server.put(...Array.from({ length: 10 }, (_, index) => stage(`stage-${index}`)));
    expect(await stream.until(({ event }) => event === "error")).toMatchObject({
      json: { code: "out_of_range" },
    });
  });

  it("opens no more streams than it may", async () => {
    const server = await startTestServer({ limits: { streams: 1 } });
    await server.put(project());
    const stream = await openStream(server, `${stagesUrl}?watch=true`);
    expect((await server.call("GET", `${stagesUrl}?watch=true`)).status).toBe(503);
    await stream.close();
    await expect.poll(async () => (await openStream(server, `${stagesUrl}?watch=true`)).status).toBe(200);
  });
});

describe("a step's log", () => {
  const key = { project: "shop", promotion: "test.1.abc", step: "clone" };
  const url = "/v1beta1/projects/shop/promotions/test.1.abc/steps/clone/log";
  const line = (text: string) => ({ at: "2030-01-02T03:04:05.000Z", stream: "stdout" as const, text });
  const running = promotion("test.1.abc", { stage: "test", freight: "abc" }, { phase: "Running" });

  it("is read as text", async () => {
    const server = await startTestServer();
    await server.put(project(), running);
    await server.store.appendLog(key, [line("one"), line("<b>two</b>")]);
    const response = await server.call("GET", url);
    expect(response.headers.get("content-type")).toContain("text/plain");
    expect(await response.text()).toBe("one\n<b>two</b>\n");
  });

  it("is followed until the step has ended", async () => {
    const server = await startTestServer();
    await server.put(project(), running);
    await server.store.appendLog(key, [line("one")]);
    const stream = await openStream(server, `${url}?follow=true`);
    expect(await stream.next()).toMatchObject({ id: "0", json: { text: "one" } });
    await server.store.appendLog(key, [line("two"), line("three")]);
    expect(await stream.next()).toMatchObject({ id: "1", json: { text: "two" } });
    expect(await stream.next()).toMatchObject({ id: "2", json: { text: "three" } });
    const ref = { kind: "Promotion", project: "shop", name: "test.1.abc" };
    const stepExecutionMetadata = [{ alias: "clone", finishedAt: "2030-01-02T03:04:06Z" }];
    await server.store.write([{ op: "status", ref, status: { phase: "Running", stepExecutionMetadata } }]);
    expect(await stream.next()).toMatchObject({ event: "end" });
  });

  it("goes on after the last line that a reader saw", async () => {
    const server = await startTestServer();
    await server.put(project(), running);
    await server.store.appendLog(key, [line("one"), line("two")]);
    const stream = await openStream(server, `${url}?follow=true`, { "Last-Event-ID": "0" });
    expect(await stream.next()).toMatchObject({ id: "1", json: { text: "two" } });
  });
});
