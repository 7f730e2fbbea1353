import type { IncomingMessage, RequestListener } from "node:http";
import { connect } from "node:net";
import { text as readAll } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { serve, serveTls } from "#test/support/http-server.ts";

/** What a server got, as it tells it. */
const echo: RequestListener = async (request, response) => {
  const { method, url, headers } = request;
  response.end(JSON.stringify({ method, url, headers, body: await readAll(request) }));
};

const toLoopback = async () => [{ address: "127.0.0.1", family: 4 as const }];
const fetchAllowing = (allow: string[] = ["127.0.0.1"], signal?: AbortSignal) =>
  createFetch({ policy: createEgressPolicy({ allow, lookup: toLoopback }), signal });

describe("requests", () => {
  it.each(["GET", "POST", "PUT", "PATCH", "DELETE"])("%s carries headers and a body", async (method) => {
    const { port } = await serve(echo);
    const answer = await fetchAllowing()(`http://127.0.0.1:${port}/a?b=c`, {
      method,
      headers: { "x-one": "1" },
      body: "hello",
    });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      method,
      url: "/a?b=c",
      headers: { "x-one": "1" },
      body: "hello",
    });
  });

  it("sends the user of a URL as a header", async () => {
    const { port } = await serve(echo);
    const answer = await fetchAllowing()(`http://me:p%40ss@127.0.0.1:${port}/`);
    expect(await answer.json()).toMatchObject({ headers: { authorization: `Basic ${btoa("me:p@ss")}` } });
  });

  it("gives answers without a body", async () => {
    const { port } = await serve((_request, response) => response.writeHead(204).end());
    const answer = await fetchAllowing()(`http://127.0.0.1:${port}/`);
    expect([answer.status, await answer.text()]).toEqual([204, ""]);
    expect((await fetchAllowing()(`http://127.0.0.1:${port}/`, { method: "HEAD" })).status).toBe(204);
  });
});

describe("the rules", () => {
  it.each([
    "http://127.0.0.1:1/",
    "http://localhost:1/",
    "http://2130706433:1/",
    "http://0x7f000001:1/",
    "http://0177.0.0.1:1/",
    "http://127.1:1/",
    "http://[::1]:1/",
    "http://[::ffff:127.0.0.1]:1/",
    "http://0.0.0.0:1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://rebound.example:1/",
  ])("refuse %s", async (url) => {
    await expect(fetchAllowing([])(url)).rejects.toMatchObject({ kind: "refused" });
  });

  it.each(["file:///etc/passwd", "ftp://example.com/", "data:text/plain,x"])("refuse %s", async (url) => {
    await expect(fetchAllowing()(url)).rejects.toMatchObject({ kind: "refused" });
  });

  it("are asked again at every redirect", async () => {
    const inner = await serve(echo);
    const outer = await serve((_request, response) =>
      response.writeHead(302, { location: `http://127.0.0.1:${inner.port}/secret` }).end(),
    );
    const fetch = fetchAllowing([`127.0.0.1:${outer.port}`]);
    await expect(fetch(`http://127.0.0.1:${outer.port}/`)).rejects.toMatchObject({ kind: "refused" });
  });

  it("connect to the address that was checked, though the name means another one by then", async () => {
    const { port } = await serve(echo);
    const answers = ["127.0.0.1", "10.255.255.1"];
    let asked = 0;
    const policy = createEgressPolicy({
      allow: ["127.0.0.1"],
      lookup: async () => [{ address: answers[asked++] ?? "10.255.255.1", family: 4 }],
    });
    const answer = await createFetch({ policy })(`http://rebinding.example:${port}/`);
    expect(answer.status).toBe(200);
    expect(asked).toBe(1);
  });

  it("hold for a proxy and for what lies behind it", async () => {
    const proxy = await serve(echo);
    const url = `http://127.0.0.1:${proxy.port}`;
    await expect(fetchAllowing([])("http://1.1.1.1/", { proxy: url })).rejects.toMatchObject({
      kind: "refused",
    });
    const fetch = fetchAllowing([`127.0.0.1:${proxy.port}`]);
    await expect(fetch("http://169.254.169.254/", { proxy: url })).rejects.toMatchObject({ kind: "refused" });
    expect(await (await fetch("http://1.1.1.1/x", { proxy: url })).json()).toMatchObject({
      url: "http://1.1.1.1/x",
    });
  });
});

describe("certificates", () => {
  it("are checked", async () => {
    const { url } = await serveTls(echo);
    await expect(fetchAllowing()(url)).rejects.toMatchObject({
      kind: "errored",
      message: expect.stringContaining("self-signed certificate"),
    });
  });

  it("are not checked when told so", async () => {
    const { url } = await serveTls(echo);
    expect((await fetchAllowing()(url, { insecureSkipTLSVerify: true })).status).toBe(200);
  });

  it("are checked behind a proxy, too", async () => {
    const target = await serveTls(echo);
    const proxy = await tunnelTo(target.port);
    const options = { proxy: proxy.url };
    await expect(fetchAllowing()("https://localhost/", options)).rejects.toThrow("self-signed certificate");
    const answer = await fetchAllowing()("https://localhost/", { ...options, insecureSkipTLSVerify: true });
    expect(answer.status).toBe(200);
    expect(proxy.asked).toEqual(["localhost:443", "localhost:443"]);
  });
});

/** A proxy that leads every tunnel to one port, and notes where it was asked to lead to. */
async function tunnelTo(port: number): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const { url, server } = await serve(echo);
  server.on("connect", (request: IncomingMessage, socket) => {
    asked.push(request.url ?? "");
    const upstream = connect(port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  return { url, asked };
}

describe("redirects", () => {
  it.each([
    { status: 301, method: "POST", becomes: "GET", body: "" },
    { status: 302, method: "POST", becomes: "GET", body: "" },
    { status: 303, method: "PUT", becomes: "GET", body: "" },
    { status: 307, method: "POST", becomes: "POST", body: "hello" },
    { status: 308, method: "PUT", becomes: "PUT", body: "hello" },
    { status: 302, method: "GET", becomes: "GET", body: "hello" },
  ])("with $status a $method becomes a $becomes", async ({ status, method, becomes, body }) => {
    const { port } = await serve((request, response) =>
      request.url === "/" ? response.writeHead(status, { location: "/next" }).end() : echo(request, response),
    );
    const answer = await fetchAllowing()(`http://127.0.0.1:${port}/`, {
      method,
      body: "hello",
      headers: { authorization: "Bearer token" },
    });
    expect(await answer.json()).toMatchObject({
      method: becomes,
      url: "/next",
      body,
      headers: { authorization: "Bearer token" },
    });
    expect(answer.url).toBe(`http://127.0.0.1:${port}/next`);
  });

  it("leave every credential behind on the way to another host", async () => {
    const other = await serve(echo);
    const first = await serve((_request, response) =>
      response.writeHead(307, { location: `http://user:pw@127.0.0.1:${other.port}/` }).end(),
    );
    const answer = await fetchAllowing()(`http://127.0.0.1:${first.port}/`, {
      method: "POST",
      body: "{}",
      headers: {
        authorization: "Bearer token",
        cookie: "a=b",
        "private-token": "secret",
        "content-type": "application/json",
        accept: "application/json",
      },
    });
    const { headers } = (await answer.json()) as { headers: Record<string, string> };
    expect(headers).toMatchObject({ "content-type": "application/json", accept: "application/json" });
    expect(Object.keys(headers)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/authorization|cookie|token/)]),
    );
  });

  it("end after ten", async () => {
    const { port } = await serve((_request, response) => response.writeHead(302, { location: "/" }).end());
    await expect(fetchAllowing()(`http://127.0.0.1:${port}/`)).rejects.toThrow(
      "redirects more than 10 times",
    );
  });

  it("are handed to a caller who wants them", async () => {
    const { port } = await serve((_request, response) => response.writeHead(302, { location: "/x" }).end());
    const answer = await fetchAllowing()(`http://127.0.0.1:${port}/`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("location")]).toEqual([302, "/x"]);
  });
});

describe("bounds", () => {
  it.each(["announced", "chunked"])("a body that is too long fails, %s", async (how) => {
    const { port } = await serve((_request, response) => {
      if (how === "announced") response.setHeader("content-length", "2000");
      response.end("x".repeat(2000));
    });
    const reading = fetchAllowing()(`http://127.0.0.1:${port}/`, { maxBodyBytes: 1000 }).then((answer) =>
      answer.text(),
    );
    await expect(reading).rejects.toThrow("longer than 1000 bytes");
  });

  it.each(["headers", "body"])("a time-out covers the %s", async (part) => {
    const { port } = await serve((_request, response) => {
      if (part === "body") response.write("x");
    });
    const reading = fetchAllowing()(`http://127.0.0.1:${port}/`, { timeoutSeconds: 0.05 }).then((answer) =>
      answer.text(),
    );
    await expect(reading).rejects.toMatchObject({
      kind: "transient",
      message: expect.stringContaining("0.05 s"),
    });
  });

  it("a time-out covers the look-up of a name", async () => {
    const policy = createEgressPolicy({ lookup: () => new Promise(() => {}) });
    const asking = createFetch({ policy })("http://slow.example/", { timeoutSeconds: 0.05 });
    await expect(asking).rejects.toMatchObject({ kind: "transient" });
  });

  it("an abort ends the exchange with its reason", async () => {
    const { port } = await serve(() => {});
    const controller = new AbortController();
    const asking = fetchAllowing(["127.0.0.1"], controller.signal)(`http://127.0.0.1:${port}/`);
    controller.abort(new Error("stopped by hand"));
    await expect(asking).rejects.toThrow("stopped by hand");
  });

  it.each(["refused", "reset"])("a connection that is %s is transient", async (how) => {
    const { port, server } = await serve((request) => request.socket.resetAndDestroy());
    if (how === "refused") await new Promise((resolve) => server.close(resolve));
    await expect(fetchAllowing()(`http://127.0.0.1:${port}/`)).rejects.toMatchObject({ kind: "transient" });
  });
});
