import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answeringServer, measureOnce, useMetrics } from "#test/core/metrics/metric-world.ts";
import { requirePart } from "#test/support/require-part.ts";

useMetrics();

describe.skipIf(!(await requirePart("prometheus")))("a metric of a real Prometheus", () => {
  let folder: string;
  let server: ChildProcess;
  let address: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "towpath-prometheus-"));
    await writeFile(join(folder, "prometheus.yml"), "global: {}\n");
    const listen = `127.0.0.1:${await freePort()}`;
    address = `http://${listen}`;
    const flags = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
    server = spawn("prometheus", [...flags, `--web.listen-address=${listen}`], { stdio: "ignore" });
    await until(async () => (await fetch(`${address}/-/ready`)).ok);
  });
  afterAll(async () => {
    server.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    { query: "vector(0.97)", condition: "result[0] >= 0.95", phase: "Successful", value: "[0.97]" },
    { query: "vector(0.5)", condition: "result[0] >= 0.95", phase: "Failed", value: "[0.5]" },
    { query: "scalar(vector(1))", condition: "result == 1", phase: "Successful", value: "1" },
    { query: "vector(1) / 0", condition: "isInf(result[0])", phase: "Successful", value: "[+Inf]" },
    { query: "vector(0) / 0", condition: "isNaN(result[0])", phase: "Successful", value: "[NaN]" },
    { query: "nothing_at_all", condition: "len(result) == 0", phase: "Successful", value: "[]" },
  ])("measures $query", async ({ query, condition, phase, value }) => {
    const measured = await measureOnce({ prometheus: { address, query } }, { condition });
    expect(measured).toMatchObject({ phase, value });
    expect(measured.run.status?.metricResults?.[0]?.metadata).toEqual({ ResolvedPrometheusQuery: query });
  });

  it("measures over a range of time", async () => {
    const rangeQuery = { start: 'now() - duration("2m")', end: "now()", step: "1m" };
    const measured = await measureOnce(
      { prometheus: { address, query: "vector(3)", rangeQuery } },
      { condition: "len(result) == 3 and all(result, # < 1000)" },
    );
    expect(measured).toMatchObject({ phase: "Successful", value: "[3,3,3]" });
  });

  it.each([
    { what: "a query that is none", fields: { query: "sum(" }, condition: "true", says: "parse error" },
    {
      what: "a condition on what is not there",
      fields: { query: "nothing_at_all" },
      condition: "result[0] > 1",
      says: 'could not evaluate successCondition "result[0] > 1": metric result is nil or empty: no data returned from the metric provider',
    },
    {
      what: "a range that begins at no time",
      fields: { query: "up", rangeQuery: { start: "1 + 1", end: "now()", step: "1m" } },
      condition: "true",
      says: "failed to parse rangeQuery.start as time",
    },
    {
      what: "a step that is none",
      fields: { query: "up", rangeQuery: { start: "now()", end: "now()", step: "often" } },
      condition: "true",
      says: "failed to parse rangeQuery.step as duration",
    },
  ])("of $what is an error that says so", async ({ fields, condition, says }) => {
    const measured = await measureOnce({ prometheus: { address, ...fields } }, { condition });
    expect(measured).toMatchObject({ phase: "Error", message: expect.stringContaining(says) });
  });
});

describe("what proves who asks", () => {
  const up = { status: "success", data: { resultType: "vector", result: [{ value: [1, "1"] }] } };

  it("is a token of OAuth 2.0 client credentials", async () => {
    const { url, seen } = await answeringServer(({ path }) => ({
      body: path === "/token" ? { access_token: "t0ken", token_type: "Bearer" } : up,
    }));
    const oauth2 = {
      tokenUrl: `${url}/token`,
      clientId: "towpath",
      clientSecret: "pass word",
      scopes: ["a", "b"],
    };
    const measured = await measureOnce({
      prometheus: { address: url, query: "up", authentication: { oauth2 } },
    });
    expect(measured.phase).toBe("Successful");
    expect(seen).toMatchObject([
      {
        method: "POST",
        headers: { authorization: `Basic ${Buffer.from("towpath:pass%20word").toString("base64")}` },
        body: "grant_type=client_credentials&scope=a+b",
      },
      { headers: { authorization: "Bearer t0ken" } },
    ]);
  });

  it("stands in the form where the token's server wants it there", async () => {
    const { url, seen } = await answeringServer(({ path, body }) => {
      if (path !== "/token") return { body: { ok: true } };
      return body.includes("client_secret=s") ? { body: { access_token: "t" } } : { status: 401, body: {} };
    });
    const oauth2 = { tokenUrl: `${url}/token`, clientId: "c", clientSecret: "s" };
    const measured = await measureOnce({ web: { url, authentication: { oauth2 } } });
    expect(measured.phase).toBe("Successful");
    expect(seen).toHaveLength(3);
  });

  it("is a name and a password", async () => {
    const { url, seen } = await answeringServer(up);
    const basicAuth = { username: "me", password: "pw" };
    await measureOnce({ prometheus: { address: url, query: "up", authentication: { basicAuth } } });
    expect(seen[0]?.headers.authorization).toBe(`Basic ${Buffer.from("me:pw").toString("base64")}`);
  });

  it("is a signature for Amazon's Prometheus, by the machine's credentials", async () => {
    const { url, seen } = await answeringServer(up);
    process.env.AWS_ACCESS_KEY_ID = "AKIDEXAMPLE";
    process.env.AWS_SECRET_ACCESS_KEY = "secret-access-key";
    const authentication = { sigv4: { region: "eu-west-1" } };
    const provider = { prometheus: { address: url, query: "up", authentication } };
    const refused = await measureOnce(provider);
    expect(refused.message).toContain("TOWPATH_HOST_CREDENTIALS=aws");
    const measured = await measureOnce(provider, { env: { TOWPATH_HOST_CREDENTIALS: "gcp, aws" } });
    expect(measured.message).toBeUndefined();
    expect(seen[0]?.headers.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/aps\/aws4_request/,
    );
    expect(seen[0]?.body).toBe("query=up");
  });

  it.each([
    { authentication: { basicAuth: { username: "me" } }, says: "needs a `password`" },
    { authentication: { oauth2: { tokenUrl: "http://x" } }, says: "needs `clientId` and `clientSecret`" },
    {
      authentication: { sigv4: { roleArn: "arn:aws:iam::1:role/x" } },
      says: "`authentication.sigv4.roleArn`",
    },
  ])("is incomplete with $authentication", async ({ authentication, says }) => {
    const measured = await measureOnce({
      prometheus: { address: "http://127.0.0.1:1", query: "up", authentication },
    });
    expect(measured).toMatchObject({ phase: "Error", message: expect.stringContaining(says) });
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => probe.once("listening", resolve));
  const { port } = probe.address() as { port: number };
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

async function until(isReady: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await isReady().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error("Prometheus does not answer");
}
