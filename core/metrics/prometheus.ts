import { z } from "zod";
import { Authentication, authenticated, Header } from "#core/metrics/authentication.ts";
import { listText, numberText } from "#core/metrics/number-text.ts";
import { defineProvider, type MetricContext } from "#core/metrics/provider.ts";
import { parseDuration } from "#core/resources/duration.ts";

const defaultTimeoutSeconds = 30;

const PrometheusMetric = z.strictObject({
  address: z.string().optional().describe("Address of the server."),
  query: z.string().optional().describe("PromQL query."),
  authentication: Authentication.optional(),
  timeout: z.int().optional().describe("Seconds until the query is given up; 30 by default."),
  insecure: z.boolean().optional().describe("Accept any certificate."),
  headers: z.array(Header).optional().describe("Headers of the request."),
  rangeQuery: z
    .strictObject({
      start: z.string().optional().describe('Expression of the first moment, as `now() - duration("1h")`.'),
      end: z.string().optional().describe("Expression of the last moment, as `now()`."),
      step: z.string().optional().describe("Time between two values, as `1m`."),
    })
    .optional()
    .describe("Ask for the values of a range of time instead of those of now."),
});

/** A moment and the value that was measured at it, as text: `NaN` and `+Inf` are among them. */
const Sample = z.tuple([z.number(), z.string()]);

const Answer = z.object({
  status: z.string(),
  error: z.string().optional(),
  warnings: z.array(z.string()).optional(),
  data: z
    .discriminatedUnion("resultType", [
      z.object({ resultType: z.literal("scalar"), result: Sample }),
      z.object({ resultType: z.literal("vector"), result: z.array(z.object({ value: Sample })) }),
      z.object({ resultType: z.literal("matrix"), result: z.array(z.object({ values: z.array(Sample) })) }),
    ])
    .optional(),
});

/** Measures with the answer to a query: a number for a scalar, a list of numbers for a vector or a range. */
export const prometheus = defineProvider({
  summary: "Asks Prometheus.",
  config: PrometheusMetric,

  problem({ address, query, timeout = 0 }) {
    if (!address || URL.parse(address)?.host === undefined)
      return "`prometheus.address` must be the server's URL";
    if (!query) return "`prometheus.query` must be given";
    return timeout < 0 ? "`prometheus.timeout` must not be negative" : undefined;
  },

  resultMetadata: ({ query = "" }) => ({ ResolvedPrometheusQuery: query }),

  async measure(config, context) {
    const { address = "", query = "", headers = [], rangeQuery } = config;
    const range = rangeQuery === undefined ? undefined : await momentsOf(rangeQuery, context);
    const fetch = await authenticated(config.authentication, context);
    const path = range === undefined ? "query" : "query_range";
    const response = await fetch(`${address.replace(/\/+$/, "")}/api/v1/${path}`, {
      method: "POST",
      headers: headers.map(({ key, value }): [string, string] => [key, value]),
      body: new URLSearchParams({ query, ...range }),
      signal: context.signal,
      timeoutSeconds: config.timeout || defaultTimeoutSeconds,
      insecureSkipTLSVerify: config.insecure ?? false,
    });
    const answer = Answer.safeParse(await response.json().catch(() => undefined));
    const { data, error, warnings } = answer.data ?? {};
    if (data === undefined)
      throw new Error(`prometheus answered ${response.status}: ${error ?? "no scalar, vector or matrix"}`);
    const metadata = warnings?.length ? { metadata: { warnings: quote(warnings) } } : {};
    if (data.resultType === "scalar") {
      const value = toNumber(data.result);
      return { value, text: numberText(value), ...metadata };
    }
    const samples =
      data.resultType === "vector"
        ? data.result.map(({ value }) => value)
        : data.result.flatMap(({ values }) => values);
    const value = samples.map(toNumber);
    return { value, text: listText(value), ...metadata };
  },
});

async function momentsOf(
  { start = "", end = "", step = "" }: NonNullable<z.infer<typeof PrometheusMetric>["rangeQuery"]>,
  context: MetricContext,
): Promise<{ start: string; end: string; step: string }> {
  const milliseconds = parseDuration(step);
  if (milliseconds === undefined || milliseconds <= 0) {
    throw new Error(
      `failed to parse rangeQuery.step as duration: "${step}" is no duration such as 30s or 1m`,
    );
  }
  return {
    start: await momentOf("start", start, context),
    end: await momentOf("end", end, context),
    step: String(milliseconds / 1000),
  };
}

async function momentOf(which: string, expression: string, { evaluate }: MetricContext): Promise<string> {
  const value = await evaluate(`(${expression}).UnixMilli()`).catch((error: Error) => {
    throw new Error(`failed to parse rangeQuery.${which} as time: ${error.message}`, { cause: error });
  });
  return String(Number(value) / 1000);
}

function quote(warnings: readonly string[]): string {
  return warnings.map((warning) => `"${warning}"`).join(", ");
}

function toNumber([, text]: z.infer<typeof Sample>): number {
  return Number(text.replace(/Inf$/, "Infinity"));
}
