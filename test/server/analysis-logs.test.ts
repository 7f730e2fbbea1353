import { describe, expect, it } from "vitest";
import type { Resource } from "#core/resources/resource.ts";
import { containerLog } from "#core/stages/verification/jobs/pod.ts";
import { project } from "#test/server/support/resources.ts";
import { startTestServer } from "#test/server/support/test-server.ts";

const url = "/v1beta1/projects/shop/analysis-runs/test.1/logs";
const ref = { kind: "AnalysisRun", project: "shop", name: "test.1" };
const line = (text: string) => ({ at: "2030-01-02T03:04:05.000Z", stream: "stdout" as const, text });
const job = (name: string, ...containers: string[]) => ({
  name,
  provider: {
    job: {
      spec: {
        template: { spec: { containers: containers.map((each) => ({ name: each, image: "busybox" })) } },
      },
    },
  },
});
const run = (...metrics: object[]): Resource => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "AnalysisRun",
  metadata: { name: "test.1", namespace: "shop" },
  spec: { metrics },
  status: { phase: "Running" },
});

describe("the log of a verification's container", () => {
  it("is followed until the verification is over", async () => {
    const server = await startTestServer();
    await server.put(project(), run(job("smoke", "main")));
    const key = containerLog(ref, "smoke", "main");
    await server.store.appendLog(key, [line("one"), line("two")]);
    const response = await server.call("GET", url);
    const reader = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>)
      .pipeThrough(new TextDecoderStream())
      .getReader();
    let read = "";
    const until = async (text: string) => {
      while (!read.includes(text)) read += (await reader.read()).value;
    };
    await until("data: one\ndata: two\ndata: \n\n");
    await server.store.appendLog(key, [line("<b>three</b>")]);
    await until("data: <b>three</b>\ndata: \n\n");
    await server.store.write([{ op: "status", ref, status: { phase: "Successful" } }]);
    expect(await reader.read()).toMatchObject({ done: true });
  });

  it("goes with the verification", async () => {
    const server = await startTestServer();
    await server.put(project(), run(job("smoke", "main")));
    const key = containerLog(ref, "smoke", "main");
    await server.store.appendLog(key, [line("one")]);
    await server.store.write([{ op: "delete", ref }]);
    expect(await server.store.readLog(key, 0)).toEqual([]);
  });

  it.each([
    { metrics: [], query: "", status: 404, says: "has no job metrics" },
    { metrics: [job("a", "m")], query: "?metricName=b", status: 404, says: 'no job metric named "b"' },
    { metrics: [job("a", "m"), job("b", "m")], query: "", status: 400, says: "specify a metric name" },
    { metrics: [job("a", "m", "n")], query: "", status: 400, says: "specify a container name" },
    {
      metrics: [job("a", "m")],
      query: "?containerName=x",
      status: 404,
      says: 'no container named "x" in Jobs for metric "a"',
    },
  ])(
    "is refused with $status where $query does not tell which: $says",
    async ({ metrics, query, status, says }) => {
      const server = await startTestServer();
      await server.put(project(), run(...metrics));
      const response = await server.call("GET", url + query);
      expect(response.status).toBe(status);
      expect(await response.text()).toContain(says.replaceAll('"', '\\"'));
    },
  );
});
