import type { RequestListener } from "node:http";
import { text as readAll } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import http from "#steps/http.ts";
import { serve } from "#test/support/http-server.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

interface Answer {
  status?: number;
  type?: string;
  headers?: Record<string, string | string[] | undefined>;
  body?: string;
}

const answering =
  ({ status = 200, type, headers = {}, body = "" }: Answer): RequestListener =>
  (_request, response) => {
    response
      .writeHead(status, { ...(type === undefined ? {} : { "content-type": type }), ...headers })
      .end(body);
  };

async function ask(answer: Answer, config: Record<string, unknown>) {
  const { url } = await serve(answering(answer));
  return await runStep(http, { url, ...config });
}

const output = (fromExpression: string) => ({ outputs: [{ name: "value", fromExpression }] });
const json = "application/json";

describe("success", () => {
  it.each([
    { what: "no body", answer: {}, expression: "response.body.missing", value: null },
    { what: "a status", answer: { status: 201 }, expression: "response.status", value: 201 },
    {
      what: "JSON",
      answer: { type: json, body: '{"a": {"b": 42}}' },
      expression: "response.body.a.b",
      value: 42,
    },
    {
      what: "a list",
      answer: { type: json, body: '[{"a": 1}]' },
      expression: "response.body[0].a",
      value: 1,
    },
    { what: "JSON null", answer: { type: json, body: "null" }, expression: "response.body", value: null },
    {
      what: "JSON under another case",
      answer: { type: "APPLICATION/JSON", body: "[1]" },
      expression: "response.body",
      value: [1],
    },
    {
      what: "JSON of an unknown type",
      answer: { type: "x/y", body: '{"a": 1}' },
      expression: "response.body.a",
      value: 1,
    },
    { what: "JSON of no type", answer: { body: '{"a": 1}' }, expression: "response.body.a", value: 1 },
    { what: "HTML", answer: { type: "text/html", body: "<p>" }, expression: "response.body", value: {} },
    {
      what: "text",
      answer: { type: "text/plain; charset=utf-8", body: "1" },
      expression: "response.body",
      value: "1",
    },
    {
      what: "YAML",
      answer: { type: "application/yaml", body: "a: yes\n" },
      expression: "response.body.a",
      value: true,
    },
    {
      what: "YAML by an older name",
      answer: { type: "text/yaml", body: "a: [1]\n" },
      expression: "response.body.a",
      value: [1],
    },
    {
      what: "a header",
      answer: { headers: { "x-One": "1" } },
      expression: "response.header('X-ONE')",
      value: "1",
    },
    { what: "no such header", answer: {}, expression: "response.header('x-two')", value: "" },
    {
      what: "all headers",
      answer: { headers: { "x-one": "1" } },
      expression: "response.headers['X-One'][0]",
      value: "1",
    },
    {
      what: "cookies",
      answer: { headers: { "set-cookie": ["a=1", "b=2"] } },
      expression: "response.headers['Set-Cookie']",
      value: ["a=1", "b=2"],
    },
  ])("gives out $what", async ({ answer, expression, value }) => {
    const outcome = await ask(answer, { successExpression: "true", ...output(expression) });
    expect(outcome).toMatchObject({ status: "succeeded", output: { value } });
  });

  it.each([
    { responseContentType: "text/plain", type: json, body: '{"a":1}', value: '{"a":1}' },
    { responseContentType: json, type: "text/plain", body: '{"a":1}', value: { a: 1 } },
    { responseContentType: "application/yaml", type: "text/plain", body: "a: 1\n", value: { a: 1 } },
  ])(
    "reads $type as $responseContentType when told to",
    async ({ responseContentType, type, body, value }) => {
      const outcome = await ask({ type, body }, { responseContentType, ...output("response.body") });
      expect(outcome).toMatchObject({ output: { value } });
    },
  );

  it("without expressions is any 2xx", async () => {
    expect(await ask({ status: 204 }, {})).toEqual({ status: "succeeded", output: {} });
  });
});

describe("judging", () => {
  it.each([
    { status: 200, success: "response.status == 200", failure: undefined, gives: "succeeded" },
    { status: 500, success: "response.status == 500", failure: undefined, gives: "succeeded" },
    { status: 200, success: "false", failure: undefined, gives: "waiting" },
    { status: 200, success: undefined, failure: "false", gives: "waiting" },
    { status: 502, success: "response.status == 200", failure: "response.status == 404", gives: "waiting" },
    { status: 200, success: "true", failure: "false", gives: "succeeded" },
  ])(
    "$status with success $success and failure $failure is $gives",
    async ({ status, success, failure, gives }) => {
      const outcome = await ask({ status }, { successExpression: success, failureExpression: failure });
      expect(outcome.status).toBe(gives);
    },
  );

  it.each([
    { pollInterval: undefined, seconds: 30 },
    { pollInterval: "15s", seconds: 15 },
    { pollInterval: "1m30s", seconds: 90 },
  ])("asks again after $seconds s where pollInterval is $pollInterval", async ({ pollInterval, seconds }) => {
    const outcome = await ask({}, { successExpression: "false", ...(pollInterval && { pollInterval }) });
    expect(outcome).toMatchObject({ status: "waiting", retryInSeconds: seconds });
  });

  it.each([
    {
      failure: "response.status == 404",
      error: undefined,
      body: "",
      message: "HTTP (404) response met failure criteria",
    },
    { failure: "true", success: "true", body: "", message: "HTTP (404) response met failure criteria" },
    {
      failure: "true",
      error: "response.body.error",
      body: '{"error":"gone"}',
      message: 'HTTP (404) response met failure criteria: "gone"',
    },
    {
      failure: "true",
      error: "response.body.a ?? response.body.b",
      body: '{"b":"why"}',
      message: 'HTTP (404) response met failure criteria: "why"',
    },
    {
      failure: "true",
      error: "response.body.error",
      body: "{}",
      message: "HTTP (404) response met failure criteria",
    },
    {
      failure: "true",
      error: "response.body.error",
      body: '{"error":42}',
      message: "HTTP (404) response met failure criteria",
    },
    { failure: "true", error: "invalid()", body: "", message: "HTTP (404) response met failure criteria" },
  ])(
    "fails for good with $message when $error over $body",
    async ({ failure, success, error, body, message }) => {
      const asking = ask(
        { status: 404, body },
        { failureExpression: failure, successExpression: success, errorExpression: error },
      );
      await expect(asking).rejects.toMatchObject({ status: "Failed", terminal: true, message });
    },
  );

  it.each([
    { status: 404, transient: false },
    { status: 500, transient: false },
    { status: 429, transient: true },
    { status: 503, transient: true },
    { status: 502, transient: true },
    { status: 502, method: "POST", transient: false },
    { status: 504, method: "PATCH", transient: false },
    { status: 503, method: "POST", transient: true },
  ])("a $status without expressions is a failure that may pass", async ({ status, method, transient }) => {
    await expect(ask({ status }, { ...(method && { method }) })).rejects.toMatchObject({
      status: "Failed",
      terminal: false,
      transient,
      message: expect.stringContaining(`answered ${status}`),
    });
  });

  it.each([
    { config: { successExpression: "(1 + 2" }, terminal: true },
    { config: { failureExpression: "(1 + 2" }, terminal: true },
    { config: { failureExpression: "true", errorExpression: "(1 + 2" }, terminal: true },
    { config: output("(1 + 2"), terminal: true },
    { config: { successExpression: "invalid()" }, terminal: false },
    { config: { failureExpression: "invalid()" }, terminal: false },
    { config: { successExpression: '"text"' }, terminal: false },
    { config: output("invalid()"), terminal: false },
  ])("an expression that is wrong in $config ends in an error", async ({ config, terminal }) => {
    await expect(ask({}, config)).rejects.toMatchObject({ status: "Errored", terminal });
  });

  it.each([
    { type: json, body: '{"a":', says: "as JSON" },
    { type: "application/yaml", body: "a: [b\n", says: "as YAML" },
    { type: json, body: `"${"x".repeat(2 * 1024 * 1024)}"`, says: "longer than" },
  ])("an answer that cannot be read $says is an error", async ({ type, body, says }) => {
    await expect(ask({ type, body }, {})).rejects.toMatchObject({
      status: "Errored",
      terminal: false,
      message: expect.stringContaining(says),
    });
  });
});

describe("requests", () => {
  const seen: RequestListener = async (request, response) => {
    const { method, url, headers } = request;
    response.setHeader("content-type", json);
    response.end(JSON.stringify({ method, url, headers, body: await readAll(request) }));
  };

  async function send(config: Record<string, unknown>, files: Record<string, string> = {}) {
    const { url } = await serve(seen);
    const ctx = fakeContext();
    for (const [name, content] of Object.entries(files)) await ctx.workspace.write(name, content);
    const outcome = await runStep(http, { url, ...output("response.body"), ...config }, ctx);
    return outcome.output?.value;
  }

  it("carry method, headers, parameters and body", async () => {
    const config = {
      method: "POST",
      headers: [{ name: "X-One", value: "1" }],
      queryParams: [
        { name: "b", value: "some value" },
        { name: "a", value: "&" },
      ],
      body: '{"c": 1}',
    };
    expect(await send(config)).toMatchObject({
      method: "POST",
      url: "/?a=%26&b=some+value",
      headers: { "x-one": "1" },
      body: '{"c": 1}',
    });
  });

  it("carry the content of a file", async () => {
    expect(await send({ method: "PUT", bodyFromFile: "body.txt" }, { "body.txt": "hello" })).toMatchObject({
      method: "PUT",
      body: "hello",
    });
  });

  it.each([
    { bodyFromFile: "missing" },
    { bodyFromFile: "../outside" },
    { bodyFromFile: "large" },
    { timeout: "x30s" },
    { url: "http://[" },
    { url: "file:///etc/passwd" },
  ])("that cannot be built from %j end the step", async (config) => {
    const files = { large: "x".repeat(2 * 1024 * 1024 + 1) };
    await expect(send(config, files)).rejects.toMatchObject({ status: "Errored", terminal: true });
  });

  it("go through a proxy", async () => {
    const proxy = await serve(seen);
    const target = await serve(seen);
    expect(await send({ url: `${target.url}/x`, proxy: proxy.url })).toMatchObject({
      url: `${target.url}/x`,
    });
  });

  it("do not reach what the operator has not opened", async () => {
    await expect(send({ url: "http://169.254.169.254/" })).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("--allow-net 169.254.169.254:80"),
    });
  });

  it("end with their time-out", async () => {
    const { url } = await serve(() => {});
    await expect(runStep(http, { url, timeout: "50ms" })).rejects.toMatchObject({ kind: "transient" });
  });

  it.each([
    {},
    { url: "" },
    { url: "http://x", method: "get" },
    { url: "http://x", headers: [{}] },
    { url: "http://x", headers: [{ name: "a", value: "" }] },
    { url: "http://x", queryParams: [{ name: "", value: "b" }] },
    { url: "http://x", timeout: "soon" },
    { url: "http://x", pollInterval: "soon" },
    { url: "http://x", responseContentType: "text/html" },
    { url: "http://x", outputs: [{ name: "a" }] },
    { url: "http://x", outputs: [{ name: "", fromExpression: "a" }] },
    { url: "http://x", proxy: "proxy.example.com:3000" },
    { url: "http://x", body: "{}", bodyFromFile: "a" },
    { url: "http://x", bodyFromFile: "" },
    { url: "http://x", more: 1 },
  ])("are not made from the configuration %j", async (config) => {
    await expect(runStep(http, config)).rejects.toMatchObject({ kind: "config" });
  });
});
