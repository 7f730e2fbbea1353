import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type ApiClient, apiPath, createApiClient } from "#cli/api-client.ts";
import { type DaemonProcess, startDaemon } from "#cli/daemon-process.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Stage } from "#core/resources/stage.ts";
import { argoToken, fakeApplication, startArgoServer } from "#test/support/argocd-server.ts";
import { applyAll, manualPipeline, onlyFreight } from "#test/support/manual-freight.ts";

const project = "shop";
const repoURL = "https://git.example.com/shop.git";
const revision = "1".repeat(40);

describe("a stage that deploys with Argo CD", () => {
  let root: string;
  let daemon: DaemonProcess | undefined;
  afterEach(async () => {
    await daemon?.kill();
    await rm(root, { recursive: true, force: true });
  });

  const stageOf = (client: ApiClient) =>
    client.request<Stage>(apiPath("projects", project, "stages", "test"));

  async function until<T>(ask: () => Promise<T>, isSo: (answer: T) => boolean): Promise<T> {
    for (let left = 600; ; left--) {
      const answer = await ask();
      if (isSo(answer)) return answer;
      if (left === 0) throw new Error(`It never came to that: ${JSON.stringify(answer, undefined, 1)}`);
      await sleep(50);
    }
  }

  it("is promoted by a sync, survives a crash in it, and has the health of its Application", {
    timeout: 60_000,
  }, async () => {
    root = await mkdtemp(join(tmpdir(), "towpath-argocd-"));
    const data = join(root, "data");
    const argo = await startArgoServer();
    const app = fakeApplication("web");
    argo.apps = [app];
    const allowNet = [new URL(argo.connection.server).host];
    daemon = await startDaemon({ data, allowNet });
    let client = createApiClient(daemon);
    const apps = [{ name: "web", sources: [{ repoURL, desiredRevision: revision }] }];
    const steps = [
      { uses: "argocd-update", config: { apps } },
      { uses: "argocd-wait", config: { apps: [{ name: "web" }] } },
    ];
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "argo", namespace: project, labels: { "towpath.dev/connection": "argocd" } },
      stringData: { server: argo.connection.server, token: argoToken, allowHttp: "true" },
    };
    const [own, ...rest] = manualPipeline(project, repoURL, [{ name: "test", steps }]);
    await applyAll(client, [own, secret, ...rest]);
    const freight = await onlyFreight(client, project);
    await client.request(apiPath("projects", project, "stages", "test", "promotions"), {
      method: "POST",
      body: { freight },
    });

    await until(
      async () => app.operation,
      (operation) => operation !== undefined,
    );
    await daemon.kill();
    daemon = await startDaemon({ data, allowNet });
    client = createApiClient(daemon);
    argo.takeUp("web");
    argo.finish("web", { revision, health: "Progressing" });
    await until(
      async () => argo.requests.filter((request) => request.startsWith("GET")).length,
      (asked) => asked > 4,
    );
    Object.assign(app.status ?? {}, { health: { status: "Healthy" } });
    const stage = await until(
      () => stageOf(client),
      ({ status }) =>
        status?.lastPromotion?.status?.phase !== undefined && status.health?.status !== undefined,
    );
    expect(argo.requests.filter((request) => request.startsWith("POST"))).toHaveLength(1);
    expect(stage.status?.lastPromotion?.status?.phase).toBe("Succeeded");
    expect(stage.status?.health).toMatchObject({ status: "Healthy" });
    expect(stage.metadata.annotations?.["kargo.akuity.io/argocd-context"]).toBe(
      JSON.stringify([{ name: "web", namespace: "argocd" }]),
    );
    const verified = await until(
      () => client.request<Freight>(apiPath("projects", project, "freight", freight)),
      ({ status }) => status?.verifiedIn?.test !== undefined,
    );
    expect(verified.status?.currentlyIn).toHaveProperty("test");

    Object.assign(app.status ?? {}, { health: { status: "Degraded" } });
    await client.request(apiPath("projects", project, "stages", "test", "refresh"), { method: "POST" });
    const ill = await until(
      () => stageOf(client),
      ({ status }) => status?.health?.status === "Unhealthy",
    );
    expect(ill.status?.health?.issues).toEqual([expect.stringContaining('"Degraded"')]);
    const conditions = ill.status?.conditions?.map(({ type, status }) => `${type} ${status}`);
    expect(conditions).toEqual(expect.arrayContaining(["Healthy False", "Ready False", "Verified True"]));
    expect(JSON.stringify(ill)).not.toContain(argoToken);
  });
});
