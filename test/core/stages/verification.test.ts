import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { createMasker } from "#core/credentials/masker.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import type { AnalysisArgument, Metric, WebMetric } from "#core/resources/analysis-template.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Verification } from "#core/resources/stage.ts";
import { createScheduler } from "#core/scheduler/scheduler.ts";
import { keys } from "#core/stages/keys.ts";
import type { AnalysisJobs } from "#core/stages/verification/jobs/jobs.ts";
import { createAnalysisRunReconciler } from "#core/stages/verification/run-reconciler.ts";
import type { Fetch } from "#core/step.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import { createFakeClock } from "#test/core/scheduler/fake-clock.ts";
import {
  createWorld,
  direct,
  freight,
  stage,
  verifiedIn,
  type World,
} from "#test/core/stages/stage-world.ts";

let expressions: Expressions;
beforeAll(async () => {
  expressions = await createExpressions();
});
afterAll(() => expressions.dispose());

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const plainFetch: Fetch = (url, init = {}) => {
  const { timeoutSeconds = 30, maxBodyBytes: _, insecureSkipTLSVerify: _t, proxy: _p, ...rest } = init;
  const signal = AbortSignal.any([
    AbortSignal.timeout(timeoutSeconds * 1000),
    ...(rest.signal ? [rest.signal] : []),
  ]);
  return fetch(url, { ...rest, signal });
};

async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that gives these JSON answers one after another, and the last one for ever. */
async function answering(...answers: unknown[]): Promise<string> {
  let next = 0;
  return serve((_, response) => {
    const answer = answers[Math.min(next++, answers.length - 1)];
    if (answer === "broken") response.writeHead(500).end();
    else if (answer === "plain") response.end("I am OK");
    else response.end(JSON.stringify(answer));
  });
}

const metric = (web: Partial<WebMetric> & { url: string }, fields: Partial<Metric> = {}): Metric => ({
  name: "ok",
  provider: { web: { jsonPath: "{$.ok}", ...web } },
  ...fields,
});

interface RunFields {
  args?: AnalysisArgument[];
  dryRun?: { metricName: string }[];
  measurementRetention?: { metricName: string; limit: number }[];
  ttlStrategy?: AnalysisRun["spec"]["ttlStrategy"];
}

/** Lets a run of these metrics go on for `seconds`, and tells how it stands then. */
async function run(
  metrics: Metric[],
  {
    seconds = 0,
    terminateAfter = Infinity,
    resources = [] as Resource[],
    jobs = undefined as AnalysisJobs | undefined,
    ...fields
  }: RunFields & {
    seconds?: number;
    terminateAfter?: number;
    resources?: Resource[];
    jobs?: AnalysisJobs;
  } = {},
) {
  const clock = createFakeClock();
  const now = () => new Date(clock.now());
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)), now });
  const scheduler = createScheduler({ store, clock });
  scheduler.register(
    createAnalysisRunReconciler({
      ...{ store, now, expressions, jobs },
      fetch: plainFetch,
      masker: createMasker(),
    }),
  );
  cleanUps.push(async () => {
    await scheduler.stop(0);
    await store.close();
  });
  await scheduler.start();
  const ref = { kind: "AnalysisRun", project: "shop", name: "run" };
  const resource: AnalysisRun = {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "AnalysisRun",
    metadata: { name: "run", namespace: "shop", labels: { tier: "one" } },
    spec: { metrics, ...fields },
  };
  await store.write([...resources, resource as Resource].map((one) => ({ op: "create", resource: one })));
  await scheduler.idle();
  for (let second = 1; second <= seconds; second++) {
    await clock.advance(1);
    await scheduler.idle();
    if (second !== terminateAfter) continue;
    const stored = (await store.get(ref)) as Resource;
    stored.spec = { ...(stored as AnalysisRun).spec, terminate: true };
    await store.write([{ op: "update", resource: stored }]);
    await scheduler.idle();
  }
  const last = (await store.get(ref)) as AnalysisRun | undefined;
  if (last === undefined) throw new Error("the run is gone");
  return last.status;
}

describe("a web metric", () => {
  it.each<{
    says: string;
    answer: unknown;
    web?: Partial<WebMetric>;
    fields?: Partial<Metric>;
    phase: string;
    value?: string;
  }>([
    { says: "is good without conditions", answer: { ok: false }, phase: "Successful", value: "false" },
    {
      says: "is good when it succeeds",
      answer: { ok: true },
      fields: { successCondition: "result == true" },
      phase: "Successful",
    },
    {
      says: "is bad when it does not succeed",
      answer: { ok: false },
      fields: { successCondition: "result == true" },
      phase: "Failed",
    },
    {
      says: "is bad when it fails",
      answer: { ok: 0.4 },
      fields: { failureCondition: "result < 0.9" },
      phase: "Failed",
    },
    {
      says: "is good when it does not fail",
      answer: { ok: 0.95 },
      fields: { failureCondition: "result < 0.9" },
      phase: "Successful",
    },
    {
      says: "is undecided between the two",
      answer: { ok: 0.8 },
      fields: { successCondition: "result > 0.9", failureCondition: "result < 0.5" },
      phase: "Inconclusive",
    },
    {
      says: "reads objects",
      answer: { ok: { passed: true, rate: 0.97 } },
      fields: { successCondition: "result.passed && result.rate > 0.9" },
      phase: "Successful",
      value: '{"passed":true,"rate":0.97}',
    },
    {
      says: "converts texts",
      answer: { ok: "42" },
      fields: { successCondition: "asInt(result) > 41" },
      phase: "Successful",
    },
    {
      says: "is the whole answer without a path",
      answer: { status: "up" },
      web: { jsonPath: undefined },
      fields: { successCondition: 'result.status == "up"' },
      phase: "Successful",
    },
    {
      says: "is the text of an answer that is no JSON",
      answer: "plain",
      web: { jsonPath: undefined },
      fields: { successCondition: 'result == "I am OK"' },
      phase: "Successful",
      value: "I am OK",
    },
    {
      says: "picks from lists",
      answer: {
        items: [
          { name: "a", up: false },
          { name: "b", up: true },
        ],
      },
      web: { jsonPath: '{$.items[?(@.name=="b")].up}' },
      fields: { successCondition: "result" },
      phase: "Successful",
      value: "true",
    },
  ])("$says", async ({ answer, web, fields, phase, value }) => {
    const status = await run([metric({ url: await answering(answer), ...web }, fields)]);
    expect(status?.phase).toBe(phase);
    if (value !== undefined) expect(status?.metricResults?.[0]?.measurements?.[0]?.value).toBe(value);
  });

  it("sends what it is told to", async () => {
    let seen: unknown;
    const url = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (body) => {
        seen = {
          method: request.method,
          type: request.headers["content-type"],
          key: request.headers["x-key"],
          body,
        };
      });
      request.on("end", () => response.end('{"ok":true}'));
    });
    await run([metric({ url, method: "POST", headers: [{ key: "X-Key", value: "k" }], jsonBody: { a: 1 } })]);
    expect(seen).toEqual({ method: "POST", type: "application/json", key: "k", body: '{"a":1}' });
  });

  it.each<{
    what: string;
    answer?: RequestListener;
    web?: Partial<WebMetric>;
    fields?: Partial<Metric>;
    says: string;
  }>([
    {
      what: "an answer of 500",
      answer: (_, response) => response.writeHead(500).end(),
      says: "received non 2xx response code: 500",
    },
    {
      what: "an answer that is no JSON",
      answer: (_, response) => response.end("<html>"),
      says: "could not parse JSON body",
    },
    { what: "a path to nowhere", web: { jsonPath: "{$.missing}" }, says: "missing is not found" },
    { what: "a path that is none", web: { jsonPath: "{$.[}" }, says: "Cannot read the JSONPath" },
    { what: "a condition that cannot be read", fields: { successCondition: "result ==" }, says: "result ==" },
    {
      what: "a condition that is not true or false",
      fields: { successCondition: "1 + 1" },
      says: "must be true or false",
    },
    {
      what: "a server that does not answer",
      answer: () => undefined,
      web: { timeoutSeconds: 1 },
      says: "timeout",
    },
  ])("of $what is an error that says so", async ({ answer, web, fields, says }) => {
    const url = await serve(answer ?? ((_, response) => response.end('{"ok":true}')));
    const status = await run([metric({ url, ...web }, { consecutiveErrorLimit: 0, ...fields })]);
    expect(status?.phase).toBe("Error");
    expect(status?.message).toContain(says);
  });
});

describe("a Prometheus metric", () => {
  const vector = (...values: string[]) => ({
    status: "success",
    data: {
      resultType: "vector",
      result: values.map((value) => ({ metric: {}, value: [1_700_000_000.1, value] })),
    },
  });
  const query = (address: string, fields: Partial<Metric> = {}): Metric => ({
    name: "rate",
    provider: { prometheus: { address, query: 'rate{job="{{args.job}}"}' } },
    consecutiveErrorLimit: 0,
    ...fields,
  });
  const args = [{ name: "job", value: "shop" }];

  it.each<{ says: string; answer: unknown; condition: string; phase: string; value: string }>([
    {
      says: "reads a vector",
      answer: vector("0.95", "0.5"),
      condition: "result[0] > 0.9",
      phase: "Successful",
      value: "[0.95,0.5]",
    },
    {
      says: "reads a scalar",
      answer: { status: "success", data: { resultType: "scalar", result: [1, "+Inf"] } },
      condition: "isInf(result)",
      phase: "Successful",
      value: "+Inf",
    },
    {
      says: "knows what is no number",
      answer: vector("NaN"),
      condition: "isNaN(result[0])",
      phase: "Successful",
      value: "[NaN]",
    },
    { says: "can be empty", answer: vector(), condition: "len(result) > 0", phase: "Failed", value: "[]" },
  ])("$says", async ({ answer, condition, phase, value }) => {
    const status = await run([query(await answering(answer), { successCondition: condition })], { args });
    expect(status?.phase).toBe(phase);
    expect(status?.metricResults?.[0]?.measurements?.[0]?.value).toBe(value);
  });

  it("asks with its query", async () => {
    let asked = "";
    const address = await serve((request, response) => {
      request.setEncoding("utf8").on("data", (body) => {
        asked += `${request.method} ${request.url} ${body}`;
      });
      request.on("end", () => response.end(JSON.stringify(vector("1"))));
    });
    await run([query(`${address}/`)], { args });
    expect(asked).toBe(`POST /api/v1/query query=${encodeURIComponent('rate{job="shop"}')}`);
  });

  it.each([
    { what: "a refusal", answer: { status: "error", error: "parse error" }, says: "parse error" },
    {
      what: "a text",
      answer: { status: "success", data: { resultType: "string", result: [1, "x"] } },
      says: "no scalar, vector or matrix",
    },
  ])("of $what is an error that says so", async ({ answer, says }) => {
    const status = await run([query(await answering(answer))], { args });
    expect(status?.phase).toBe("Error");
    expect(status?.message).toContain(says);
  });
});

describe("a run", () => {
  const good = { successCondition: "result" };

  it("measures as often as it is told to, with a pause between", async () => {
    const status = await run(
      [metric({ url: await answering({ ok: true }) }, { ...good, count: 3, interval: "10s" })],
      {
        seconds: 21,
      },
    );
    expect(status).toMatchObject({
      phase: "Successful",
      metricResults: [{ name: "ok", phase: "Successful", count: 3, successful: 3 }],
      runSummary: { count: 1, successful: 1 },
      completedAt: expect.any(String),
    });
  });

  it("is running until then", async () => {
    const status = await run(
      [metric({ url: await answering({ ok: true }) }, { ...good, count: 3, interval: "10s" })],
      {
        seconds: 15,
      },
    );
    expect(status).toMatchObject({ phase: "Running", metricResults: [{ count: 2 }] });
    expect(status).not.toHaveProperty("completedAt");
  });

  it("waits before the first measurement when it is told to", async () => {
    const metrics = [metric({ url: await answering({ ok: true }) }, { ...good, initialDelay: "30s" })];
    expect((await run(metrics, { seconds: 29 }))?.metricResults?.[0]).toMatchObject({ phase: "Pending" });
    expect((await run(metrics, { seconds: 31 }))?.phase).toBe("Successful");
  });

  it("fails with the first failure too many, and ends the other metrics", async () => {
    const status = await run(
      [
        metric(
          { url: await answering({ ok: true }, { ok: false }) },
          { ...good, interval: "10s", failureLimit: 1 },
        ),
        metric({ url: await answering({ ok: true }) }, { ...good, name: "other", interval: "10s" }),
      ],
      { seconds: 60 },
    );
    expect(status).toMatchObject({
      phase: "Failed",
      message: 'Metric "ok" assessed Failed due to failed (2) > failureLimit (1)',
      metricResults: [
        { name: "ok", phase: "Failed", failed: 2 },
        { name: "other", phase: "Successful" },
      ],
      runSummary: { count: 2, failed: 1, successful: 1 },
    });
  });

  it("tries again what could not be measured, up to a number of errors in a row", async () => {
    const flaky = await answering("broken", "broken", { ok: true });
    expect((await run([metric({ url: flaky }, good)], { seconds: 30 }))?.phase).toBe("Successful");
    const broken = await answering("broken");
    const status = await run([metric({ url: broken }, good)], { seconds: 60 });
    expect(status?.phase).toBe("Error");
    expect(status?.message).toBe(
      'Metric "ok" assessed Error due to consecutiveErrors (5) > consecutiveErrorLimit (4): "Error Message: received non 2xx response code: 500"',
    );
  });

  it("is inconclusive with one undecided measurement too many", async () => {
    const undecided = {
      successCondition: "false",
      failureCondition: "false",
      count: 3,
      interval: "1s",
      inconclusiveLimit: 1,
    };
    const status = await run([metric({ url: await answering({ ok: true }) }, undecided)], { seconds: 10 });
    expect(status).toMatchObject({
      phase: "Inconclusive",
      message: 'Metric "ok" assessed Inconclusive due to inconclusive (2) > inconclusiveLimit (1)',
    });
  });

  it("succeeds after enough successes in a row, where that is asked for", async () => {
    const url = await answering({ ok: true }, { ok: false }, { ok: true });
    const fields = { ...good, interval: "1s", failureLimit: -1, consecutiveSuccessLimit: 2 };
    const status = await run([metric({ url }, fields)], { seconds: 10 });
    expect(status).toMatchObject({ phase: "Successful", metricResults: [{ count: 4, failed: 1 }] });
  });

  it.each([
    { failureLimit: -1, phase: "Failed" },
    { failureLimit: 1, phase: "Inconclusive" },
  ])("without them ends as $phase with a failureLimit of $failureLimit", async ({ failureLimit, phase }) => {
    const url = await answering({ ok: true }, { ok: false }, { ok: true });
    const fields = { ...good, interval: "1s", count: 3, failureLimit, consecutiveSuccessLimit: 2 };
    expect((await run([metric({ url }, fields)], { seconds: 10 }))?.phase).toBe(phase);
  });

  it("tells of a metric that is tried out why it would have failed", async () => {
    const status = await run([metric({ url: await answering({ ok: false }) }, good)], {
      dryRun: [{ metricName: "." }],
    });
    expect(status).toMatchObject({
      phase: "Successful",
      metricResults: [{ message: "Metric assessed Failed due to failed (1) > failureLimit (0)" }],
    });
  });

  it("is removed when its time is over", async () => {
    const metrics = [metric({ url: await answering({ ok: true }) }, good)];
    const ttlStrategy = { secondsAfterSuccess: 20, secondsAfterCompletion: 5 };
    expect((await run(metrics, { seconds: 19, ttlStrategy }))?.phase).toBe("Successful");
    await expect(run(metrics, { seconds: 21, ttlStrategy })).rejects.toThrow("the run is gone");
  });

  it("is not decided by metrics that are only tried out", async () => {
    const status = await run(
      [
        metric({ url: await answering({ ok: true }) }, good),
        metric({ url: await answering({ ok: false }) }, { ...good, name: "new-one" }),
      ],
      { dryRun: [{ metricName: "new-.*" }] },
    );
    expect(status).toMatchObject({
      phase: "Successful",
      runSummary: { count: 1, successful: 1 },
      dryRunSummary: { count: 1, failed: 1 },
      metricResults: [{ name: "ok" }, { name: "new-one", phase: "Failed", dryRun: true }],
    });
  });

  it("keeps the measurements that it is told to keep", async () => {
    const metrics = [metric({ url: await answering({ ok: true }) }, { ...good, count: 5, interval: "1s" })];
    const status = await run(metrics, {
      seconds: 10,
      measurementRetention: [
        { metricName: ".*", limit: 4 },
        { metricName: "o", limit: 2 },
      ],
    });
    expect(status?.metricResults?.[0]?.measurements).toHaveLength(2);
    expect(status?.metricResults?.[0]?.count).toBe(5);
  });

  it("ends when somebody ends it", async () => {
    const metrics = [metric({ url: await answering({ ok: true }) }, { ...good, interval: "1s" })];
    const status = await run(metrics, { seconds: 5, terminateAfter: 3 });
    expect(status).toMatchObject({ phase: "Successful", message: "Run Terminated" });
  });

  it.each([
    { what: "somebody ends it", terminateAfter: 3, other: true, phase: "Inconclusive" },
    { what: "another metric fails", terminateAfter: Infinity, other: false, phase: "Failed" },
  ])("ends a job that runs when $what", async ({ terminateAfter, other, phase }) => {
    const ended: string[] = [];
    const jobs = {
      follow: async () => ({ phase: "running" as const }),
      end: async (id: string) => void ended.push(id),
      forget: async () => {},
      close: () => {},
    };
    const metrics: Metric[] = [
      {
        name: "tests",
        provider: { job: { spec: { template: { spec: { containers: [{ name: "t", image: "t" }] } } } } },
      },
      metric(
        { url: await answering({ ok: true }, { ok: true }, { ok: other }) },
        { ...good, interval: "2s" },
      ),
    ];
    const status = await run(metrics, { seconds: 12, terminateAfter, jobs });
    expect(ended).toEqual([expect.stringMatching(/\.tests\.1$/)]);
    expect(status).toMatchObject({
      phase,
      metricResults: [
        { name: "tests", phase: "Inconclusive", measurements: [{ message: "Metric Terminated" }] },
        { name: "ok", phase: other ? "Successful" : "Failed" },
      ],
    });
  });

  it("puts arguments where metrics name them, and keeps secrets out of what it writes down", async () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "api", namespace: "shop" },
      stringData: { token: "s3cr3t-token" },
    };
    const url = await serve((request, response) =>
      response.end(JSON.stringify({ ok: request.headers.authorization })),
    );
    const headers = [{ key: "Authorization", value: "Bearer {{args.token}}" }];
    const status = await run(
      [
        metric(
          { url: `${url}/{{ args.path }}`, headers },
          { successCondition: 'result == "Bearer {{args.token}}"' },
        ),
      ],
      {
        resources: [secret as Resource],
        args: [
          { name: "path", value: "health" },
          { name: "token", valueFrom: { secretKeyRef: { name: "api", key: "token" } } },
        ],
      },
    );
    expect(status).toMatchObject({
      phase: "Successful",
      metricResults: [{ measurements: [{ value: '"Bearer ***"' }] }],
    });
    expect(JSON.stringify(status)).not.toContain("s3cr3t");
  });

  it.each<{ what: string; metrics: Metric[]; fields?: RunFields; says: string }>([
    {
      what: "an unknown argument",
      metrics: [metric({ url: "http://{{args.host}}" })],
      says: "failed to resolve {{args.host}}",
    },
    {
      what: "a secret that is not there",
      metrics: [metric({ url: "http://x" })],
      fields: { args: [{ name: "a", valueFrom: { secretKeyRef: { name: "gone", key: "k" } } }] },
      says: 'Secret "gone" has no key "k"',
    },
    {
      what: "a provider that this daemon has not",
      metrics: [{ name: "slo", provider: { wavefront: { address: "x", query: "up" } } }],
      says: "metrics[0]: the provider `wavefront` is not available: ask its API",
    },
    {
      what: "a pause that is none",
      metrics: [metric({ url: "http://x" }, { initialDelay: "soon" })],
      says: '"soon" is no duration',
    },
    {
      what: "a count that is none",
      metrics: [metric({ url: "http://127.0.0.1:1" }, { count: "many" })],
      says: '"many" is no whole number',
    },
    { what: "no metrics", metrics: [], says: "no metrics specified" },
    { what: "no provider", metrics: [{ name: "m", provider: {} }], says: "no provider specified" },
    {
      what: "two providers",
      metrics: [{ name: "m", provider: { web: { url: "http://x" }, prometheus: {} } }],
      says: "multiple providers specified",
    },
    {
      what: "a count without a pause",
      metrics: [metric({ url: "http://x" }, { count: 2 })],
      says: "interval must be specified when count > 1",
    },
    {
      what: "a limit beyond its count",
      metrics: [metric({ url: "http://x" }, { count: 2, interval: "1s", failureLimit: 3 })],
      says: "count (2) must be >= failureLimit + consecutiveSuccessLimit (3 + 0)",
    },
    {
      what: "no limit at all",
      metrics: [metric({ url: "http://x" }, { failureLimit: -1 })],
      says: "failureLimit and consecutiveSuccessLimit cannot both be disabled",
    },
    {
      what: "a negative limit",
      metrics: [metric({ url: "http://x" }, { inconclusiveLimit: -1 })],
      says: "inconclusiveLimit must be >= 0",
    },
    {
      what: "a body to get with",
      metrics: [metric({ url: "http://x", body: "b" })],
      says: "`body` and `jsonBody` need the method POST or PUT",
    },
    {
      what: "two metrics of one name",
      metrics: [metric({ url: "http://x" }), metric({ url: "http://y" })],
      says: 'metrics[1]: duplicate name "ok"',
    },
    {
      what: "a rule for no metric",
      metrics: [metric({ url: "http://x" })],
      fields: { dryRun: [{ metricName: "x" }] },
      says: "dryRun[0]",
    },
  ])("with $what ends in an error that says so", async ({ metrics, fields, says }) => {
    const status = await run(metrics, fields);
    expect(status?.phase).toBe("Error");
    expect(status?.message).toContain(says);
  });
});

describe("the verification of a stage", () => {
  const template = (name: string, spec: unknown, kind = "AnalysisTemplate"): Resource => ({
    apiVersion: "argoproj.io/v1alpha1",
    kind,
    metadata: kind === "AnalysisTemplate" ? { name, namespace: "shop" } : { name },
    spec,
  });
  const smoke = template("smoke", {
    args: [{ name: "tag" }],
    metrics: [{ name: "m", provider: { web: { url: "http://x" } } }],
  });
  const verification: Verification = {
    analysisTemplates: [{ name: "smoke" }],
    args: [{ name: "tag", value: "${{ vars.prefix }}-${{ ctx.stage }}" }],
    analysisRunMetadata: { labels: { team: "x" } },
  };

  async function open(resources: Resource[] = [smoke], wanted: Verification = verification): Promise<World> {
    const verified = stage("test", [direct], {
      verification: wanted,
      vars: [{ name: "prefix", value: "app" }],
    });
    const world = await createWorld(
      [...resources, verified, stage("prod", [verifiedIn("test")]), freight("f1"), freight("f2")],
      {
        expressions,
      },
    );
    cleanUps.push(world.close);
    await world.promote("test", "f1");
    await world.finish("test");
    return world;
  }

  const runsOf = async ({ store, project }: World) =>
    (await store.list({ kind: "AnalysisRun", project })) as AnalysisRun[];

  async function endRun(
    world: World,
    phase: "Successful" | "Failed" | "Error" | "Inconclusive",
    message = "",
  ): Promise<void> {
    const [latest] = (await runsOf(world)).reverse();
    const ref = { kind: "AnalysisRun", project: "shop", name: latest?.metadata.name ?? "" };
    const status = { phase, message, completedAt: world.now().toISOString() };
    await world.store.write([{ op: "status", ref, status }]);
    await world.rest();
  }

  const latestOf = async ({ getStage }: World) =>
    (await getStage("test")).status?.freightHistory?.[0]?.verificationHistory?.[0];

  it("is an AnalysisRun of its templates, with its arguments evaluated", async () => {
    const world = await open();
    const [created] = await runsOf(world);
    const { uid } = (await world.getFreight("f1")).metadata;
    const collection = (await world.getStage("test")).status?.freightHistory?.[0]?.id;
    const [promotion] = await world.promotions("test");
    expect(created).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^test\.[0-9a-z]{26}\.[0-9a-f]{7}$/),
        labels: { team: "x", [keys.stage]: "test", [keys.freightCollection]: collection },
        annotations: { [keys.promotion]: promotion?.metadata.name },
        ownerReferences: [{ kind: "Freight", name: "f1", uid }],
      },
      spec: { metrics: [{ name: "m" }], args: [{ name: "tag", value: "app-test" }] },
    });
    expect(await latestOf(world)).toMatchObject({
      phase: "Pending",
      analysisRun: { namespace: "shop", name: created?.metadata.name },
    });
    expect(await world.condition("test", "Verified")).toMatchObject({
      status: "Unknown",
      reason: "VerificationPending",
    });
  });

  it("takes in the templates that a template joins to itself, each once", async () => {
    const own = (name: string) => [{ name, provider: { web: { url: "http://x" } } }];
    const parent = template("smoke", {
      args: [{ name: "tag" }],
      metrics: own("m"),
      templates: [{ templateName: "latency" }, { templateName: "errors", clusterScope: true }],
    });
    const latency = template("latency", { metrics: own("latency"), templates: [{ templateName: "smoke" }] });
    const errors = template("errors", { metrics: own("errors") }, "ClusterAnalysisTemplate");
    const world = await open([parent, latency, errors]);
    const [created] = await runsOf(world);
    expect(created?.spec.metrics.map(({ name }) => name)).toEqual(["m", "latency", "errors"]);
  });

  it("hands secrets to its run without writing them down, and forgets them with it", async () => {
    const api = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "api", namespace: "shop" },
      stringData: { token: "s3cr3t-token" },
    };
    const args = [
      {
        name: "tag",
        value:
          "Bearer ${{ secret('api').token }} for ${{ imageFrom('registry.example.com/app', warehouse('app')).Tag }}",
      },
    ];
    const world = await open([smoke, api as Resource], { ...verification, args });
    const [created] = await runsOf(world);
    const name = `${created?.metadata.name}.arguments`;
    expect(created?.spec.args).toEqual([{ name: "tag", valueFrom: { secretKeyRef: { name, key: "tag" } } }]);
    const secret = () => world.store.get({ kind: "Secret", project: "shop", name });
    expect(await secret()).toMatchObject({ stringData: { tag: "Bearer s3cr3t-token for f1" } });
    const masker = createMasker();
    const reconciler = createAnalysisRunReconciler({ ...world, expressions, fetch: plainFetch, masker });
    const ref = { kind: "AnalysisRun", project: "shop", name: created?.metadata.name ?? "" };
    await endRun(world, "Successful");
    await reconciler.reconcile(ref, new AbortController().signal);
    expect(await secret()).toBeUndefined();
  });

  it("lets freight go on once the run is successful, and holds back the next promotion until it is over", async () => {
    const world = await open();
    await world.promote("test", "f2");
    expect((await world.getStage("test")).status).not.toHaveProperty("currentPromotion");
    await expect(world.promote("prod", "f1")).rejects.toThrow("is not available");
    await endRun(world, "Successful");
    expect((await world.getFreight("f1")).status?.verifiedIn).toHaveProperty("test");
    expect((await world.getStage("test")).status).toHaveProperty("currentPromotion");
    await world.promote("prod", "f1");
    expect(await world.events()).toContain("FreightVerificationSucceeded f1");
  });

  it.each([
    { phase: "Failed", status: "False", reason: "VerificationFailed", event: "FreightVerificationFailed" },
    { phase: "Error", status: "False", reason: "VerificationError", event: "FreightVerificationErrored" },
    {
      phase: "Inconclusive",
      status: "Unknown",
      reason: "VerificationInconclusive",
      event: "FreightVerificationInconclusive",
    },
  ] as const)(
    "that is $phase keeps freight where it is, and lets the next promotion go on",
    async ({ phase, status, reason, event }) => {
      const world = await open();
      await endRun(world, phase, "too slow");
      expect(await world.condition("test", "Verified")).toMatchObject({
        status,
        reason,
        message: "too slow",
      });
      expect(await world.condition("test", "Ready")).toMatchObject({ status: "False", reason });
      expect((await world.getFreight("f1")).status?.verifiedIn).toBeUndefined();
      expect(await world.events()).toContain(`${event} f1`);
      await world.promote("test", "f2");
      expect((await world.getStage("test")).status).toHaveProperty("currentPromotion");
    },
  );

  it("can be asked for again, and then names who asked", async () => {
    const world = await open();
    await endRun(world, "Failed");
    await world.operations.reverify({ project: "shop", stage: "test", actor: "email:jo@example.com" });
    await world.rest();
    expect(await runsOf(world)).toHaveLength(2);
    expect(await latestOf(world)).toMatchObject({ phase: "Pending", actor: "email:jo@example.com" });
    await endRun(world, "Successful");
    expect((await world.getFreight("f1")).status?.verifiedIn).toHaveProperty("test");
    await world.rest();
    expect(await runsOf(world)).toHaveLength(2);
  });

  it("that fails the second time takes back what the first one found", async () => {
    const world = await open();
    await endRun(world, "Successful");
    await world.operations.reverify({ project: "shop", stage: "test", actor: "admin" });
    await world.rest();
    expect((await world.getFreight("f1")).status?.verifiedIn).toHaveProperty("test");
    await endRun(world, "Failed");
    expect((await world.getFreight("f1")).status?.verifiedIn).toEqual({});
    expect(await world.condition("test", "Verified")).toMatchObject({
      status: "False",
      reason: "VerificationFailed",
    });
    await expect(world.promote("prod", "f1")).rejects.toThrow("is not available");
  });

  it.each(["Error", "Inconclusive"] as const)(
    "that ends as %s the second time takes nothing back",
    async (phase) => {
      const world = await open();
      await endRun(world, "Successful");
      await world.operations.reverify({ project: "shop", stage: "test", actor: "admin" });
      await world.rest();
      await endRun(world, phase);
      expect((await world.getFreight("f1")).status?.verifiedIn).toHaveProperty("test");
      expect(await world.condition("test", "Verified")).toMatchObject({ status: "True" });
    },
  );

  it("can be ended, which says nothing against the freight", async () => {
    const world = await open();
    await endRun(world, "Successful");
    await world.operations.reverify({ project: "shop", stage: "test", actor: "admin" });
    await world.rest();
    await world.operations.abortVerification({ project: "shop", stage: "test", actor: "admin" });
    await world.rest();
    const latest = (await runsOf(world)).at(-1);
    expect(latest?.spec.terminate).toBe(true);
    expect(await latestOf(world)).toMatchObject({
      phase: "Failed",
      message: "Verification aborted by user",
      actor: "admin",
    });
    expect((await world.getFreight("f1")).status?.verifiedIn).toHaveProperty("test");
  });

  it.each<{ what: string; resources: Resource[]; wanted?: Verification; says: string }>([
    {
      what: "a template that is not there",
      resources: [],
      says: 'AnalysisTemplate "smoke" not found in namespace "shop"',
    },
    {
      what: "a joined template that is not there",
      resources: [template("smoke", { args: [{ name: "tag" }], templates: [{ templateName: "gone" }] })],
      says: 'AnalysisTemplate "gone" not found in namespace "shop", which AnalysisTemplate "smoke" joins to itself',
    },
    {
      what: "an argument that nobody gives",
      resources: [template("smoke", { args: [{ name: "tag" }, { name: "host" }], metrics: [] })],
      says: 'argument "host" has no value',
    },
    {
      what: "an argument that is no text",
      resources: [smoke],
      wanted: { ...verification, args: [{ name: "tag", value: "${{ 1 + 1 }}" }] },
      says: 'argument "tag" must be a string',
    },
    {
      what: "an expression that cannot be evaluated",
      resources: [smoke],
      wanted: { ...verification, args: [{ name: "tag", value: "${{ nothing.here }}" }] },
      says: 'evaluate argument "tag"',
    },
    {
      what: "two metrics of one name",
      resources: [
        smoke,
        template("smoke", { metrics: [{ name: "m", provider: {} }] }, "ClusterAnalysisTemplate"),
      ],
      wanted: {
        ...verification,
        analysisTemplates: [{ name: "smoke" }, { name: "smoke", kind: "ClusterAnalysisTemplate" }],
      },
      says: 'duplicate metric name: "m"',
    },
  ])("with $what ends in an error that says so", async ({ resources, wanted, says }) => {
    const latest = await latestOf(await open(resources, wanted));
    expect(latest?.phase).toBe("Error");
    expect(latest?.message).toContain(says);
  });
});
