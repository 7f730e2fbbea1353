import { z } from "zod";
import type { MetricSource } from "#core/stages/verification/metric-source.ts";

const defaultTimeoutSeconds = 30;

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
    ])
    .optional(),
});

/** Measures with the answer to a query: a number for a scalar, a list of numbers for a vector. */
export const prometheusMetric: MetricSource = async ({ provider }, { fetch, signal }) => {
  const { address, query, headers = [], timeout, insecure, ...rest } = provider.prometheus ?? {};
  if (!address || !query) throw new Error("the metric must give `prometheus.address` and `prometheus.query`");
  if (rest.rangeQuery !== undefined) throw new Error("`prometheus.rangeQuery` is not supported");
  if (rest.authentication?.sigv4 !== undefined) throw new Error("`authentication.sigv4` is not supported");
  if (rest.authentication?.oauth2 !== undefined) throw new Error("`authentication.oauth2` is not supported");

  const response = await fetch(`${address.replace(/\/+$/, "")}/api/v1/query`, {
    method: "POST",
    headers: headers.map(({ key, value }): [string, string] => [key, value]),
    body: new URLSearchParams({ query }),
    signal,
    timeoutSeconds: timeout ?? defaultTimeoutSeconds,
    insecureSkipTLSVerify: insecure ?? false,
  });
  const answer = Answer.safeParse(await response.json().catch(() => undefined));
  const { data, error, warnings } = answer.data ?? {};
  if (data === undefined)
    throw new Error(`prometheus answered ${response.status}: ${error ?? "no scalar or vector"}`);

  const value =
    data.resultType === "scalar"
      ? toNumber(data.result)
      : data.result.map((sample) => toNumber(sample.value));
  return {
    value,
    text: Array.isArray(value) ? `[${value.join(",")}]` : String(value),
    ...(warnings?.length ? { metadata: { warnings: warnings.join("; ") } } : {}),
  };
};

function toNumber([, text]: z.infer<typeof Sample>): number {
  return Number(text.replace(/Inf$/, "Infinity"));
}
