import { describe, expect, it } from "vitest";
import type { Metric } from "#core/resources/analysis-template.ts";
import { answeringServer, measureOnce, now, secret, useMetrics } from "#test/core/metrics/metric-world.ts";

// These servers answer as the services' published APIs do; none of the services itself is asked.
useMetrics();

const seconds = now.getTime() / 1000;

describe("a Datadog metric", () => {
  const keys = (address: string) =>
    secret("datadog", { address, "api-key": "k-api-1", "app-key": "k-app-1" });
  const scalar = (...columns: object[]) => ({ data: { type: "scalar_response", attributes: { columns } } });
  const numbers = (...values: (number | null)[]) => ({ name: "query", type: "number", values });
  const tags = (...values: string[][]) => ({ name: "host", type: "group", values });

  it("asks version 1 for the last five minutes, and takes the last point", async () => {
    const { url, seen } = await answeringServer({
      series: [
        {
          pointlist: [
            [1, 9],
            [2, 0.5],
          ],
        },
      ],
    });
    const measured = await measureOnce(
      { datadog: { query: "avg:errors{*}" } },
      { condition: "result < 1", resources: [keys(url)] },
    );
    expect(measured).toMatchObject({ phase: "Successful", value: "0.5" });
    expect(seen[0]).toMatchObject({
      method: "GET",
      path: `/api/v1/query?from=${seconds - 300}&query=avg%3Aerrors%7B*%7D&to=${seconds}`,
      headers: { "dd-api-key": "k-api-1", "dd-application-key": "k-app-1" },
    });
  });

  it("asks version 2 with its queries and its formula", async () => {
    const { url, seen } = await answeringServer(scalar(numbers(2)));
    const datadog = {
      apiVersion: "v2" as const,
      interval: "1h",
      queries: { a: "sum:x{*}", b: "sum:y{*}" },
      formula: "a / b",
      aggregator: "sum",
    };
    const measured = await measureOnce({ datadog }, { condition: "result == 2", resources: [keys(url)] });
    expect(measured).toMatchObject({ phase: "Successful", value: "2" });
    expect(seen[0]?.path).toBe("/api/v2/query/scalar");
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({
      data: {
        type: "scalar_request",
        attributes: {
          from: (seconds - 3600) * 1000,
          to: seconds * 1000,
          queries: [
            { aggregator: "sum", data_source: "metrics", name: "a", query: "sum:x{*}" },
            { aggregator: "sum", data_source: "metrics", name: "b", query: "sum:y{*}" },
          ],
          formulas: [{ formula: "a / b" }],
        },
      },
    });
  });

  it.each([
    {
      what: "groups as a list, without those that have no data",
      answer: scalar(tags(["a"], ["b"], ["c"]), numbers(1, null, 3)),
      condition: "max(result) == 3",
      value: "[1,3]",
      groups: '[{"name":"a","value":1},{"name":"c","value":3}]',
    },
    {
      what: "one group as a list too",
      answer: scalar(tags(["a"]), numbers(1)),
      condition: "len(result) == 1",
      value: "[1]",
      groups: '[{"name":"a","value":1}]',
    },
    {
      what: "groups of several tags by all of them",
      answer: scalar(tags(["prod"]), tags(["GET /"]), numbers(4)),
      condition: "result[0] == 4",
      value: "[4]",
      groups: '[{"name":"prod,GET /","value":4}]',
    },
    { what: "nothing as nil", answer: scalar(), condition: "default(result, 0) == 0", value: "[]" },
  ])("takes $what", async ({ answer, condition, value, groups }) => {
    const { url } = await answeringServer(answer);
    const datadog = { apiVersion: "v2" as const, query: "sum:x{*} by {host}" };
    const measured = await measureOnce({ datadog }, { condition, resources: [keys(url)] });
    expect(measured).toMatchObject({ phase: "Successful", value });
    expect(measured.metadata?.groups).toBe(groups);
  });

  it("tells of a hundred groups at most, the lowest and the highest", async () => {
    const names = Array.from({ length: 300 }, (_, index) => [`h${index}`]);
    const { url } = await answeringServer(scalar(tags(...names), numbers(...names.map((_, index) => index))));
    const datadog = { apiVersion: "v2" as const, query: "sum:x{*} by {host}" };
    const { metadata } = await measureOnce({ datadog }, { resources: [keys(url)] });
    const groups = JSON.parse(metadata?.groups ?? "") as { name: string }[];
    expect(groups).toHaveLength(100);
    expect([groups[0]?.name, groups.at(-1)?.name]).toEqual(["h0", "h299"]);
    expect(metadata?.groups_truncated).toBe("true");
  });

  it("prefers the project's Secret to the shared one", async () => {
    const own = await answeringServer({ series: [] });
    const shared = await answeringServer({ series: [] });
    const values = { "api-key": "k-api-1", "app-key": "k-app-1" };
    await measureOnce(
      { datadog: { query: "q" } },
      {
        resources: [
          secret("datadog", { ...values, address: shared.url }, "kargo-shared-resources"),
          secret("datadog", { ...values, address: own.url }),
        ],
      },
    );
    expect([own.seen.length, shared.seen.length]).toEqual([1, 0]);
  });

  it.each<{ what: string; datadog: Metric["provider"]["datadog"]; shared?: boolean; says: string }>([
    {
      what: "no keys",
      datadog: { query: "q" },
      says: 'there is no Secret "datadog" with `api-key` and `app-key`',
    },
    {
      what: "a Secret of another project's",
      datadog: { query: "q", secretRef: { name: "datadog", namespaced: true } },
      shared: true,
      says: 'there is no Secret "datadog"',
    },
    { what: "no query", datadog: {}, says: "needs a `query` or `queries`" },
    {
      what: "two queries without a formula",
      datadog: { apiVersion: "v2", queries: { a: "x", b: "y" } },
      says: "needs a `formula`",
    },
    {
      what: "queries of version 1",
      datadog: { queries: { a: "x" } },
      says: "`datadog.queries` need the apiVersion v2",
    },
  ])("with $what is an error that says so", async ({ datadog, shared, says }) => {
    const resources = shared
      ? [secret("datadog", { "api-key": "a", "app-key": "b" }, "kargo-shared-resources")]
      : [];
    expect(await measureOnce({ datadog }, { resources })).toMatchObject({
      phase: "Error",
      message: expect.stringContaining(says),
    });
  });

  it("tells what Datadog says against it, and not the keys", async () => {
    const { url } = await answeringServer(() => ({
      status: 403,
      body: '{"errors":["k-api-1 is not allowed"]}',
    }));
    const { message } = await measureOnce({ datadog: { query: "q" } }, { resources: [keys(url)] });
    expect(message).toBe(
      'received authentication error response code: 403 {"errors":["*** is not allowed"]}',
    );
  });
});

describe("a New Relic metric", () => {
  const answer = (...results: object[]) => ({ data: { actor: { account: { nrql: { results } } } } });
  const account = (url: string) =>
    secret("newrelic", {
      "personal-api-key": "NRAK-secret",
      "account-id": "42",
      "base-url-nerdgraph": `${url}/graphql`,
    });

  it.each([
    {
      results: [{ successRate: 0.99 }],
      condition: "result.successRate > 0.9",
      value: '{"successRate":0.99}',
    },
    { results: [{ a: 1 }, { a: 2 }], condition: "result[1].a == 2", value: '[{"a":1},{"a":2}]' },
    { results: [{ "average.duration": 3 }], condition: "result['average.duration'] == 3", value: undefined },
  ])("measures with $results", async ({ results, condition, value }) => {
    const { url, seen } = await answeringServer(answer(...results));
    const measured = await measureOnce(
      { newRelic: { query: "FROM Transaction SELECT count(*)", timeout: 7 } },
      { condition, resources: [account(url)] },
    );
    expect(measured).toMatchObject({ phase: "Successful", ...(value ? { value } : {}) });
    expect(seen[0]).toMatchObject({
      method: "POST",
      path: "/graphql",
      headers: { "api-key": "NRAK-secret" },
    });
    expect(JSON.parse(seen[0]?.body ?? "").variables).toEqual({
      accountId: 42,
      query: "FROM Transaction SELECT count(*)",
      timeout: 7,
    });
    expect(measured.run.status?.metricResults?.[0]?.metadata).toEqual({
      ResolvedNewRelicQuery: "FROM Transaction SELECT count(*)",
    });
  });

  it.each([
    { what: "no results", body: answer(), says: "no results returned from NRQL query" },
    { what: "a refusal", body: { errors: [{ message: "NRQL Syntax Error" }] }, says: "NRQL Syntax Error" },
    { what: "no JSON", body: "<html>", says: "New Relic answered 200 with what is no JSON" },
  ])("of $what is an error that says so", async ({ body, says }) => {
    const { url } = await answeringServer(body);
    const measured = await measureOnce({ newRelic: { query: "q" } }, { resources: [account(url)] });
    expect(measured).toMatchObject({ phase: "Error", message: expect.stringContaining(says) });
  });

  it("names the regions that there are", async () => {
    const resources = [secret("mine", { "personal-api-key": "NRAK-1", "account-id": "1", region: "mars" })];
    const measured = await measureOnce({ newRelic: { profile: "mine", query: "q" } }, { resources });
    expect(measured.message).toBe('Secret "mine": `region` must be us or eu, and is "mars"');
  });
});

describe("an InfluxDB metric", () => {
  const csv = [
    "#datatype,string,long,dateTime:RFC3339,double,string",
    "#group,false,false,false,false,true",
    "#default,_result,,,,",
    ",result,table,_time,_value,host",
    ',,0,2030-01-02T03:00:00Z,0.01,"a, ""b"""',
    ",,0,2030-01-02T03:01:00Z,0.5,c",
    "",
    "#datatype,string,long,boolean",
    "#group,false,false,false",
    "#default,_result,,",
    ",result,table,_value",
    ",,1,true",
    "",
  ].join("\r\n");
  const account = (address: string) =>
    secret("influxdb", { address, authToken: "influx-token", org: "my org" });

  it("measures with every record's value", async () => {
    const { url, seen } = await answeringServer(csv);
    const measured = await measureOnce(
      { influxdb: { query: 'from(bucket: "x")' } },
      { condition: "result[0] <= 0.01 && result[2]", resources: [account(url)] },
    );
    expect(measured).toMatchObject({ phase: "Successful", value: "[0.01 0.5 true]" });
    expect(seen[0]).toMatchObject({
      method: "POST",
      path: "/api/v2/query?org=my+org",
      headers: { authorization: "Token influx-token" },
    });
    expect(JSON.parse(seen[0]?.body ?? "")).toMatchObject({ query: 'from(bucket: "x")', type: "flux" });
  });

  it.each([
    { what: "no records", status: 200, body: "\r\n", says: "no results returned from flux query" },
    {
      what: "an error in the table",
      status: 200,
      body: "#datatype,string,string\r\n,error,reference\r\n,query ran out of memory,897\r\n",
      says: "query ran out of memory",
    },
    { what: "a refusal", status: 401, body: '{"code":"unauthorized"}', says: "InfluxDB answered 401" },
  ])("of $what is an error that says so", async ({ status, body, says }) => {
    const { url } = await answeringServer(() => ({ status, body }));
    const measured = await measureOnce({ influxdb: { query: "q" } }, { resources: [account(url)] });
    expect(measured).toMatchObject({ phase: "Error", message: expect.stringContaining(says) });
  });
});

describe("a Graphite metric", () => {
  it("asks for JSON and leaves out what is not there", async () => {
    const { url, seen } = await answeringServer([
      {
        target: "t",
        datapoints: [
          [99.5, 1],
          [null, 2],
          ["90", 3],
        ],
      },
    ]);
    const measured = await measureOnce(
      { graphite: { address: `${url}/`, query: "target=sum(\n  a.*,\n  b.*\n)&from=-5min" } },
      { condition: "all(result, # >= 90)" },
    );
    expect(measured).toMatchObject({ phase: "Successful", value: "[99.500000,90.000000]" });
    expect(seen[0]?.path).toBe(
      `/render?${new URLSearchParams({ target: "sum(a.*,b.*)", from: "-5min", format: "json" })}`,
    );
  });

  it.each([
    { what: "no targets", status: 200, body: [], says: "no values found" },
    { what: "a refusal", status: 400, body: "bad target", says: "error response: 400 bad target" },
  ])("of $what is an error that says so", async ({ status, body, says }) => {
    const { url } = await answeringServer(() => ({ status, body }));
    const measured = await measureOnce({ graphite: { address: url, query: "target=a" } });
    expect(measured).toMatchObject({ phase: "Error", message: expect.stringContaining(says) });
  });
});

describe("a SkyWalking metric", () => {
  it("asks for the time that it looks back over, minute by minute", async () => {
    const { url, seen } = await answeringServer({ data: { apdex: { values: [{ value: "9950" }] } } });
    const measured = await measureOnce(
      { skywalking: { address: url, query: "query q($duration: Duration!) { apdex }", interval: "3m" } },
      { condition: "all(result.apdex.values, {asFloat(.value) >= 9900})" },
    );
    expect(measured).toMatchObject({
      phase: "Successful",
      value: '{"apdex":{"values":[{"value":"9950"}]}}',
    });
    expect(JSON.parse(seen[0]?.body ?? "").variables).toEqual({
      duration: { start: "2030-01-02 0301", end: "2030-01-02 0304", step: "MINUTE" },
    });
  });

  it("tells what the server says against the query", async () => {
    const { url } = await answeringServer({ errors: [{ message: "unknown field" }] });
    const measured = await measureOnce({ skywalking: { address: url, query: "{ x }" } });
    expect(measured).toMatchObject({ phase: "Error", message: "unknown field" });
  });
});

describe("a provider that is not available", () => {
  it.each(["kayenta", "wavefront", "plugin"] as const)(
    "refuses %s by its name, and says what would help",
    async (name) => {
      const { phase, message } = await measureOnce({ [name]: {} });
      expect(phase).toBe("Error");
      expect(message).toMatch(name === "plugin" ? /plugins .* `job`/ : new RegExp(`\`${name}\` .* \`web\``));
    },
  );
});
