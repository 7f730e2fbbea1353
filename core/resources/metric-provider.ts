import { z } from "zod";

const Header = z.strictObject({ key: z.string(), value: z.string() });

const Authentication = z
  .strictObject({
    sigv4: z
      .strictObject({
        region: z.string().optional(),
        profile: z.string().optional(),
        roleArn: z.string().optional(),
      })
      .optional()
      .describe("AWS request signing."),
    oauth2: z
      .strictObject({
        tokenUrl: z.string().optional(),
        clientId: z.string().optional(),
        clientSecret: z.string().optional(),
        scopes: z.array(z.string()).optional(),
      })
      .optional()
      .describe("OAuth 2.0 client credentials."),
  })
  .describe("How to prove who asks.");

/** Asks a URL for JSON and measures with what it answers. */
export const WebMetric = z.strictObject({
  url: z.string().describe("Address to ask."),
  method: z.enum(["GET", "POST", "PUT"]).optional().describe("HTTP method; GET by default."),
  headers: z.array(Header).optional().describe("Headers of the request."),
  body: z.string().optional().describe("Body of the request. Give this or jsonBody."),
  jsonBody: z.unknown().optional().describe("Body of the request, as JSON."),
  timeoutSeconds: z.int().optional().describe("Seconds until the request is given up; 10 by default."),
  jsonPath: z.string().optional().describe("JSONPath of the value in the answer, as `{$.data.ok}`."),
  insecure: z.boolean().optional().describe("Accept any certificate."),
  authentication: Authentication.optional(),
});
export type WebMetric = z.infer<typeof WebMetric>;

/** Argo's other providers are kept as they are written; only their own fields' outlines are checked. */
export const MetricProvider = z.strictObject({
  web: WebMetric.optional().describe("Asks a URL."),
  prometheus: z
    .strictObject({
      address: z.string().optional(),
      query: z.string().optional(),
      authentication: Authentication.optional(),
      timeout: z.int().optional(),
      insecure: z.boolean().optional(),
      headers: z.array(Header).optional(),
      rangeQuery: z
        .strictObject({
          start: z.string().optional(),
          end: z.string().optional(),
          step: z.string().optional(),
        })
        .optional(),
    })
    .optional()
    .describe("Prometheus."),
  job: z
    .strictObject({
      metadata: z.record(z.string(), z.unknown()).optional(),
      spec: z.record(z.string(), z.unknown()),
    })
    .optional()
    .describe("A Kubernetes Job."),
  kayenta: z.record(z.string(), z.unknown()).optional().describe("Kayenta."),
  datadog: z.record(z.string(), z.unknown()).optional().describe("Datadog."),
  wavefront: z
    .strictObject({ address: z.string().optional(), query: z.string().optional() })
    .optional()
    .describe("Wavefront."),
  newRelic: z
    .strictObject({ profile: z.string().optional(), query: z.string(), timeout: z.int().optional() })
    .optional()
    .describe("New Relic."),
  cloudWatch: z.record(z.string(), z.unknown()).optional().describe("AWS CloudWatch."),
  graphite: z
    .strictObject({ address: z.string().optional(), query: z.string().optional() })
    .optional()
    .describe("Graphite."),
  influxdb: z
    .strictObject({ profile: z.string().optional(), query: z.string().optional() })
    .optional()
    .describe("InfluxDB."),
  skywalking: z
    .strictObject({
      address: z.string().optional(),
      query: z.string().optional(),
      interval: z.string().optional(),
    })
    .optional()
    .describe("Apache SkyWalking."),
  plugin: z.record(z.string(), z.unknown()).optional().describe("A provider that is a plugin, by its name."),
});
export type MetricProvider = z.infer<typeof MetricProvider>;
