import { z } from "zod";
import { jsonOf, quoted } from "#core/metrics/answer.ts";
import { grouped } from "#core/metrics/datadog-columns.ts";
import { numberText } from "#core/metrics/number-text.ts";
import { defineProvider, type Measured, type MetricContext } from "#core/metrics/provider.ts";
import { parseDuration } from "#core/resources/duration.ts";

const defaultAddress = "https://api.datadoghq.com";
const defaultSecret = "datadog";
const defaultInterval = "5m";

const DatadogMetric = z.strictObject({
  interval: z.string().optional().describe("How far back the query looks; 5m by default."),
  query: z.string().optional().describe("The query. Give this or queries."),
  queries: z.record(z.string(), z.string()).optional().describe("Queries by name, for a formula; v2 only."),
  formula: z.string().optional().describe("Formula over the queries' names; v2 only."),
  apiVersion: z.enum(["v1", "v2"]).optional().describe("Version of Datadog's API; v1 by default."),
  aggregator: z
    .string()
    .optional()
    .describe("What is made of each query's values; `last` by default; v2 only."),
  requestTimeout: z.string().optional().describe("Time until the request is given up; 10s by default."),
  secretRef: z
    .strictObject({
      name: z.string().optional().describe("Name of the Secret; `datadog` by default."),
      namespaced: z.boolean().optional().describe("Whether only the project's own Secret may serve."),
    })
    .optional()
    .describe("Secret with `api-key`, `app-key` and, for another site, `address`."),
});
type DatadogMetric = z.output<typeof DatadogMetric>;

/** Measures with a number, or, where a v2 query is grouped by a tag, with a list of them. */
export const datadog = defineProvider({
  summary: "Asks Datadog.",
  config: DatadogMetric,

  problem(config) {
    const { query, queries = {}, formula, apiVersion = "v1", aggregator } = config;
    const { interval = defaultInterval, requestTimeout, secretRef } = config;
    const number = Object.keys(queries).length;
    if (!query && number === 0) return "`datadog` needs a `query` or `queries`";
    if (query && number > 0) return "`datadog` takes either a `query` or `queries`, not both";
    if (apiVersion === "v1" && !query) return "`datadog.queries` need the apiVersion v2";
    if (formula && number === 0) return "`datadog.formula` needs `queries`";
    if (!formula && number > 1) return "`datadog` needs a `formula` where there are several queries";
    if (apiVersion === "v1" && aggregator) return "`datadog.aggregator` needs the apiVersion v2";
    if (parseDuration(interval) === undefined) return `"${interval}" is no duration such as 5m`;
    if (requestTimeout && !((parseDuration(requestTimeout) ?? 0) > 0))
      return "`datadog.requestTimeout` must be a positive duration such as 30s";
    if (secretRef?.namespaced && !secretRef.name)
      return "`datadog.secretRef` needs a `name` to be namespaced";
    return undefined;
  },

  async measure(config, context) {
    const { address, apiKey, appKey } = await credentialsOf(config, context);
    const response = await ask(config, address, context, {
      "content-type": "application/json",
      "dd-api-key": apiKey,
      "dd-application-key": appKey,
    });
    if (response.status !== 200) {
      const what = [401, 403].includes(response.status) ? "authentication error" : "non 2xx";
      throw new Error(`received ${what} response code: ${await quoted(response)}`);
    }
    const answer = await jsonOf(response, "Datadog");
    return config.apiVersion === "v2" ? grouped(answer) : lastPoint(answer);
  },
});

async function credentialsOf(
  { secretRef = {} }: DatadogMetric,
  { secret }: MetricContext,
): Promise<{ address: string; apiKey: string; appKey: string }> {
  const name = secretRef.name || defaultSecret;
  const found = await secret(name, { plain: ["address"], onlyOfProject: secretRef.namespaced });
  const { address, "api-key": apiKey, "app-key": appKey } = found ?? {};
  if (apiKey && appKey) return { address: address || defaultAddress, apiKey, appKey };
  throw new Error(
    `Cannot ask Datadog: there is no Secret "${name}" with \`api-key\` and \`app-key\` in the project or the shared resources`,
  );
}

async function ask(
  config: DatadogMetric,
  address: string,
  { fetch, signal, now }: MetricContext,
  headers: Record<string, string>,
): Promise<Response> {
  const { apiVersion, query = "", interval = defaultInterval, requestTimeout = "10s" } = config;
  const to = Math.floor(now().getTime() / 1000);
  const from = to - Math.floor((parseDuration(interval) ?? 0) / 1000);
  const options = { headers, signal, timeoutSeconds: (parseDuration(requestTimeout) ?? 0) / 1000 };
  const base = address.replace(/\/+$/, "");
  if (apiVersion !== "v2") {
    const parameters = new URLSearchParams({ from: String(from), query, to: String(to) });
    return await fetch(`${base}/api/v1/query?${parameters}`, options);
  }
  const body = JSON.stringify({
    data: { attributes: scalarRequest(config, from, to), type: "scalar_request" },
  });
  return await fetch(`${base}/api/v2/query/scalar`, { ...options, method: "POST", body });
}

function scalarRequest({ query, queries, formula, aggregator }: DatadogMetric, from: number, to: number) {
  const named = Object.entries(query ? { query } : (queries ?? {}));
  return {
    from: from * 1000,
    to: to * 1000,
    queries: named.map(([name, text]) => ({
      aggregator: aggregator || "last",
      data_source: "metrics",
      name,
      query: text,
    })),
    formulas: formula ? [{ formula }] : [],
  };
}

const Series = z.object({
  series: z.array(z.object({ pointlist: z.array(z.array(z.number().nullable())).default([]) })).default([]),
});

function lastPoint(answer: unknown): Measured {
  const { series } = Series.parse(answer);
  const point = series[0]?.pointlist.at(-1);
  if (point === undefined) return { value: null, text: JSON.stringify(series) };
  const [, value] = point;
  if (value === null) return { value, text: "null" };
  if (point.length !== 2 || typeof value !== "number") throw new Error("Datapoint does not have 2 values");
  return { value, text: numberText(value) };
}
