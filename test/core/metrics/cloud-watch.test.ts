import { describe, expect, it } from "vitest";
import { answeringServer, measureOnce, now, secret, useMetrics } from "#test/core/metrics/metric-world.ts";

// The client is AWS's own; the server answers as the service's published API does.
useMetrics();

const account = (endpoint: string) =>
  secret("cloudwatch", {
    AWS_ACCESS_KEY_ID: "AKIDEXAMPLE",
    AWS_SECRET_ACCESS_KEY: "secret-access-key",
    AWS_REGION: "eu-central-1",
    AWS_ENDPOINT_URL: endpoint,
  });
const rate = {
  cloudWatch: {
    interval: "30m",
    metricDataQueries: [
      { id: "rate", expression: "errors / 2" },
      {
        id: "errors",
        returnData: false,
        metricStat: {
          metric: { namespace: "app", metricName: "errors", dimensions: [{ name: "env", value: "test" }] },
          period: "300",
          stat: "Sum",
          unit: "Count",
        },
      },
    ],
  },
};

describe("a CloudWatch metric", () => {
  it("asks a signed question, and gets the values of each query", async () => {
    const { url, seen } = await answeringServer({
      MetricDataResults: [{ Id: "rate", Label: "rate", StatusCode: "Complete", Values: [0.01, 0.002] }],
      Messages: [{ Code: "ArithmeticError", Value: "one was left out" }],
    });
    const measured = await measureOnce(rate, {
      condition: "len(result[0].Values) >= 2 and all(result[0].Values, {# <= 0.01})",
      resources: [account(url)],
    });
    expect(measured).toMatchObject({
      phase: "Successful",
      value: "[[0.01 0.002]]",
      metadata: { messages: '[{"Code":"ArithmeticError","Value":"one was left out"}]' },
    });
    expect(seen[0]?.headers).toMatchObject({
      "x-amz-target": "GraniteServiceVersion20100801.GetMetricData",
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/monitoring\/aws4_request, SignedHeaders=.*, Signature=[0-9a-f]{64}$/,
      ),
    });
    expect(JSON.parse(seen[0]?.body ?? "")).toEqual({
      StartTime: now.getTime() / 1000 - 1800,
      EndTime: now.getTime() / 1000,
      MetricDataQueries: [
        { Id: "rate", Expression: "errors / 2" },
        {
          Id: "errors",
          ReturnData: false,
          MetricStat: {
            Metric: {
              Namespace: "app",
              MetricName: "errors",
              Dimensions: [{ Name: "env", Value: "test" }],
            },
            Period: 300,
            Stat: "Sum",
            Unit: "Count",
          },
        },
      ],
    });
  });

  it("tells what the service says against it", async () => {
    const body = {
      __type: "com.amazonaws.cloudwatch#InvalidParameterValueException",
      message: "no such stat",
    };
    const { url } = await answeringServer(() => ({ status: 400, body }));
    expect(await measureOnce(rate, { resources: [account(url)] })).toMatchObject({
      phase: "Error",
      message: "no such stat",
    });
  });

  it("asks for keys of the project's own, or the operator's leave", async () => {
    expect((await measureOnce(rate)).message).toContain('give the project a Secret "cloudwatch"');
  });

  it("is held by the egress rules", async () => {
    const { url, seen } = await answeringServer({});
    const measured = await measureOnce(rate, { resources: [account(url)], allow: [] });
    expect(measured).toMatchObject({ phase: "Error", message: expect.stringContaining("127.0.0.1") });
    expect(seen).toEqual([]);
  });
});
