import { z } from "zod";
import { sdkHandler } from "#core/egress/aws-handler.ts";
import { requireMachineIdentity } from "#core/metrics/machine-identity.ts";
import { defineProvider, type MetricContext } from "#core/metrics/provider.ts";
import { parseDuration } from "#core/resources/duration.ts";

const secretName = "cloudwatch";
const plain = ["AWS_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_CLOUDWATCH", "AWS_ACCESS_KEY_ID"];
const timeoutSeconds = 30;
const defaultInterval = "5m";

/** Seconds, perhaps as text: arguments may stand in it. */
const Seconds = z.union([z.int(), z.string()]);

const MetricDataQuery = z.strictObject({
  id: z.string().optional().describe("Short name, which expressions use."),
  expression: z.string().optional().describe("Expression over other queries' ids."),
  label: z.string().optional().describe("Label of the result."),
  period: Seconds.optional().describe("Seconds of one data point."),
  returnData: z.boolean().optional().describe("Whether it is part of the result."),
  metricStat: z
    .strictObject({
      metric: z
        .strictObject({
          namespace: z.string().optional().describe("Namespace of the metric."),
          metricName: z.string().optional().describe("Name of the metric."),
          dimensions: z
            .array(z.strictObject({ name: z.string(), value: z.string() }))
            .optional()
            .describe("Dimensions of the metric."),
        })
        .optional()
        .describe("The metric."),
      period: Seconds.optional().describe("Seconds of one data point."),
      stat: z.string().optional().describe("Statistic, as `Sum` or `p99`."),
      unit: z.string().optional().describe("Unit, as `Count`."),
    })
    .optional()
    .describe("A statistic of a metric."),
});
type MetricDataQuery = z.infer<typeof MetricDataQuery>;

const CloudWatchMetric = z.strictObject({
  interval: z.string().optional().describe("How far back it looks; 5m by default."),
  metricDataQueries: z.array(MetricDataQuery).describe("Queries, as CloudWatch's GetMetricData takes them."),
});

/** Measures with the results of GetMetricData: a list with `Id`, `Label`, `Values` and `Timestamps` of each. */
export const cloudWatch = defineProvider({
  summary: "Asks Amazon CloudWatch.",
  config: CloudWatchMetric,

  problem: ({ interval = defaultInterval }) =>
    parseDuration(interval) === undefined ? `"${interval}" is no duration such as 5m` : undefined,

  async measure({ interval = defaultInterval, metricDataQueries }, context) {
    const { GetMetricDataCommand } = await import("@aws-sdk/client-cloudwatch");
    const client = await connect(context);
    const end = context.now();
    const command = new GetMetricDataCommand({
      StartTime: new Date(end.getTime() - (parseDuration(interval) ?? 0)),
      EndTime: end,
      MetricDataQueries: metricDataQueries.map(toQuery),
    });
    try {
      const { MetricDataResults = [], Messages = [] } = await client.send(command, {
        abortSignal: context.signal,
      });
      return {
        value: JSON.parse(JSON.stringify(MetricDataResults)),
        text: `[${MetricDataResults.map(({ Values = [] }) => `[${Values.join(" ")}]`).join(" ")}]`,
        ...(Messages.length > 0 ? { metadata: { messages: JSON.stringify(Messages) } } : {}),
      };
    } finally {
      client.destroy();
    }
  },
});

/** By a Secret of the project, or else by what AWS's own tools would find on the daemon's machine. */
async function connect(context: MetricContext) {
  const { CloudWatchClient } = await import("@aws-sdk/client-cloudwatch");
  const found = (await context.secret(secretName, { plain })) ?? {};
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = found;
  const sessionToken = found.AWS_SESSION_TOKEN;
  const region = found.AWS_REGION ?? context.env.AWS_REGION;
  const endpoint = found.AWS_ENDPOINT_URL_CLOUDWATCH ?? found.AWS_ENDPOINT_URL;
  if (!accessKeyId || !secretAccessKey) {
    requireMachineIdentity(context, `; or give the project a Secret "${secretName}" with keys of its own`);
  }
  return new CloudWatchClient({
    ...(region ? { region } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(accessKeyId && secretAccessKey
      ? { credentials: { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) } }
      : {}),
    requestHandler: sdkHandler({ fetch: context.fetch, timeoutSeconds }),
    maxAttempts: 2,
  });
}

function toQuery({ id, expression, label, period, returnData, metricStat }: MetricDataQuery) {
  const { metric = {}, stat, unit } = metricStat ?? {};
  return {
    Id: id,
    Expression: expression,
    Label: label,
    Period: toSeconds(period),
    ReturnData: returnData,
    ...(metricStat === undefined
      ? {}
      : {
          MetricStat: {
            Metric: {
              Namespace: metric.namespace,
              MetricName: metric.metricName,
              Dimensions: metric.dimensions?.map(({ name, value }) => ({ Name: name, Value: value })),
            },
            Period: toSeconds(metricStat.period),
            Stat: stat,
            // The service knows its units, and says so of one that it does not know.
            Unit: unit as "Count" | undefined,
          },
        }),
  };
}

function toSeconds(value: number | string | undefined): number | undefined {
  if (value === undefined || value === "") return undefined;
  const seconds = Number(value);
  if (Number.isInteger(seconds)) return seconds;
  throw new Error(`"${value}" is no whole number of seconds`);
}
