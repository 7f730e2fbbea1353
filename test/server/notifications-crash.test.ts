import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { apiPath, createApiClient } from "#cli/api-client.ts";
import { type DaemonProcess, startDaemon } from "#cli/daemon-process.ts";
import { serve } from "#test/support/http-server.ts";
import { applyAll, manualPipeline, onlyFreight } from "#test/support/manual-freight.ts";

let root: string;
let daemon: DaemonProcess | undefined;
afterEach(async () => {
  await daemon?.kill();
  await rm(root, { recursive: true, force: true });
});

it("a daemon that is killed while a message is on its way sends it again, under the same id", {
  timeout: 60_000,
}, async () => {
  root = await mkdtemp(join(tmpdir(), "towpath-notify-"));
  const seen: { id: unknown; body: string }[] = [];
  let isDeaf = true;
  const { url } = await serve(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    seen.push({ id: request.headers["x-towpath-delivery"], body });
    if (!isDeaf) response.end();
  });
  const options = { data: join(root, "data"), allowNet: ["127.0.0.1"] };
  daemon = await startDaemon(options);
  const client = createApiClient(daemon);
  const enterprise = "ee.kargo.akuity.io/v1alpha1";
  await applyAll(client, [
    ...manualPipeline("shop", "http://127.0.0.1:1/app.git", [
      { name: "test", steps: [{ uses: "fail", config: { message: "not today" } }] },
    ]),
    {
      apiVersion: enterprise,
      kind: "MessageChannel",
      metadata: { name: "sink", namespace: "shop" },
      spec: { http: { url } },
    },
    {
      apiVersion: enterprise,
      kind: "EventRouter",
      metadata: { name: "failures", namespace: "shop" },
      spec: {
        types: ["PromotionFailed", "PromotionErrored"],
        when: "event.stageName == 'test'",
        channels: [{ kind: "MessageChannel", name: "sink" }],
        output: "${{ type }}: ${{ event.message }}",
      },
    },
  ]);
  const freight = await onlyFreight(client, "shop");
  await client.request(apiPath("projects", "shop", "stages", "test", "promotions"), {
    method: "POST",
    body: { freight },
  });
  await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(1);
  await daemon.kill();
  isDeaf = false;
  daemon = await startDaemon(options);
  await expect.poll(() => seen.length, { timeout: 20_000 }).toBe(2);
  expect(seen[1]).toEqual(seen[0]);
  expect(seen[0]?.body).toContain("not today");
});
