import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { containerLog } from "#core/stages/verification/jobs/pod.ts";
import { listen } from "#test/server/support/listen.ts";
import { freight, project, promotion, secret, stage, warehouse } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer, testToken } from "#test/server/support/test-server.ts";
import { requirePart } from "#test/support/require-part.ts";

const run = promisify(execFile);

/** Kargo's own command line, talking to our server. */
async function startWithKargo(): Promise<{ server: TestServer; kargo: Kargo; folder: string }> {
  const server = await startTestServer();
  const address = await listen(server.app);
  const folder = await mkdtemp(join(tmpdir(), "towpath-kargo-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const kargo: Kargo = async (...args) => {
    const env = {
      PATH: process.env.PATH,
      HOME: folder,
      XDG_CONFIG_HOME: folder,
      KARGO_API_ADDRESS: address,
      KARGO_API_TOKEN: testToken,
    };
    try {
      return await run("kargo", args, { env, timeout: 20_000 });
    } finally {
      expect(server.errors).toEqual([]);
    }
  };
  return { server, kargo, folder };
}

type Kargo = (...args: string[]) => Promise<{ stdout: string; stderr: string }>;

const found = {
  ...freight("0123456789abcdef0123456789abcdef01234567", { alias: "quick-fox" }),
  images: [{ repoURL: "registry.example.com/app", tag: "1.0.0" }],
};

describe.skipIf(!(await requirePart("kargo")))("Kargo's own command line", () => {
  it("applies, lists and deletes", async () => {
    const { server, kargo, folder } = await startWithKargo();
    const file = join(folder, "shop.yaml");
    await writeFile(
      file,
      [project(), warehouse(), stage("test")].map((one) => JSON.stringify(one)).join("\n---\n"),
    );

    expect((await kargo("apply", "-f", file)).stdout).toContain("stage.kargo.akuity.io/test created");
    expect((await kargo("apply", "-f", file)).stdout).toContain("configured");
    expect((await kargo("get", "projects")).stdout).toContain("shop");
    expect((await kargo("get", "stages", "--project", "shop")).stdout).toContain("test");
    expect((await kargo("get", "warehouses", "--project", "shop", "-o", "name")).stdout).toContain("app");
    await kargo("delete", "stage", "test", "--project", "shop");
    await kargo("delete", "-f", file).catch(() => undefined);
    expect(await server.store.list({ kind: "Stage" })).toEqual([]);
    expect(await server.store.list({ kind: "Project" })).toEqual([]);
  });

  it("is told nothing that it does not know", async () => {
    const { server, kargo } = await startWithKargo();
    const discovery = [{ kind: "git", repoURL: "https://git.example.com/app", chosen: 1, leftOut: [] }];
    const settling = { freight: "abc", since: "2030-01-02T03:04:05Z" };
    await server.put({ ...project(), spec: { promotionPolicies: [] } });
    await server.put({ ...warehouse(), status: { discovery, settling } });
    expect((await kargo("get", "projects", "-o", "name")).stdout).toContain("shop");
    expect((await kargo("get", "warehouses", "--project", "shop", "-o", "name")).stdout).toContain("app");
    expect((await kargo("get", "warehouse", "app", "--project", "shop", "-o", "name")).stdout).toContain(
      "app",
    );
  });

  it("tells what is wrong with a manifest", async () => {
    const { kargo, folder } = await startWithKargo();
    const file = join(folder, "bad.yaml");
    await writeFile(file, JSON.stringify({ ...stage("test"), kind: "Stgae" }));
    await expect(kargo("apply", "-f", file)).rejects.toThrow(/unknown kind/);
  });

  it("promotes, and waits until the promotion has ended", async () => {
    const { server, kargo } = await startWithKargo();
    await server.put(project(), stage("test"), found);
    const end = server.store.watch(({ type, resource: { kind, metadata } }) => {
      if (kind !== "Promotion" || type !== "ADDED") return;
      const ref = { kind, project: "shop", name: metadata.name };
      void server.store.write([{ op: "status", ref, status: { phase: "Running" } }]);
      setTimeout(() => void server.store.write([{ op: "status", ref, status: { phase: "Succeeded" } }]), 300);
    });
    onTestFinished(end);
    const args = [
      "promote",
      "--project",
      "shop",
      "--stage",
      "test",
      "--freight-alias",
      "quick-fox",
      "--wait",
    ];
    expect((await kargo(...args)).stdout).toContain("promotion.kargo.akuity.io/test.");
    const promoted = await kargo("get", "promotions", "--project", "shop", "--stage", "test", "-o", "json");
    expect(promoted.stdout).toContain('"Succeeded"');
  });

  it("promotes to the stages downstream, and what a warehouse found last", async () => {
    const { server, kargo } = await startWithKargo();
    const downstream = (name: string) =>
      stage(name, {
        requestedFreight: [{ origin: { kind: "Warehouse", name: "app" }, sources: { stages: ["test"] } }],
      });
    await server.put(project(), warehouse(), stage("test"), downstream("east"), downstream("west"));
    await server.put({ ...found, status: { verifiedIn: { test: {} } } });
    const name = found.metadata.name;
    await kargo("promote", "--project", "shop", "--downstream-from", "test", "--freight", name);
    await kargo("promote", "--project", "shop", "--stage", "test", "--warehouse", "app");
    const promotions = await server.store.list({ kind: "Promotion" });
    expect(promotions.map(({ spec }) => (spec as { stage: string }).stage).sort()).toEqual([
      "east",
      "test",
      "west",
    ]);
  });

  it("aborts a promotion", async () => {
    const { server, kargo } = await startWithKargo();
    await server.put(
      project(),
      promotion("test.1.abc", { stage: "test", freight: "abc" }, { phase: "Running" }),
    );
    await kargo("promote", "--project", "shop", "--name", "test.1.abc", "--abort");
    const ref = { kind: "Promotion", project: "shop", name: "test.1.abc" };
    const asked = (await server.store.get(ref))?.metadata.annotations?.["kargo.akuity.io/abort"];
    expect(JSON.parse(asked ?? "")).toMatchObject({ action: "terminate", actor: "admin" });
  });

  it("approves freight and renames it", async () => {
    const { server, kargo } = await startWithKargo();
    await server.put(project(), stage("test"), found);
    await kargo("approve", "--project", "shop", "--freight-alias", "quick-fox", "--stage", "test");
    await kargo(
      "update",
      "freight",
      "--project",
      "shop",
      "--old-alias",
      "quick-fox",
      "--new-alias",
      "slow-hare",
    );
    const ref = { kind: "Freight", project: "shop", name: found.metadata.name };
    expect(await server.store.get(ref)).toMatchObject({
      alias: "slow-hare",
      status: { approvedFor: { test: {} } },
    });
    const listed = await kargo("get", "freight", "--project", "shop");
    expect(listed.stdout).toContain("slow-hare");
  });

  it("refreshes, and waits until that is done", async () => {
    const { server, kargo } = await startWithKargo();
    await server.put(project(), stage("test"), warehouse());
    const end = server.store.watch(({ type, resource: { kind, metadata, status } }) => {
      const asked = metadata.annotations?.["kargo.akuity.io/refresh"];
      const { lastHandledRefresh } = (status ?? {}) as { lastHandledRefresh?: string };
      if (type !== "MODIFIED" || asked === undefined || asked === lastHandledRefresh) return;
      const ref = { kind, project: "shop", name: metadata.name };
      void server.store.write([{ op: "status", ref, status: { lastHandledRefresh: asked } }]);
    });
    onTestFinished(end);
    await kargo("refresh", "stage", "test", "--project", "shop", "--wait");
    await kargo("refresh", "warehouse", "app", "--project", "shop", "--wait");
  });

  it("verifies again, and aborts that", async () => {
    const { server, kargo } = await startWithKargo();
    const items = { "Warehouse/app": { name: "abc", origin: { kind: "Warehouse" as const, name: "app" } } };
    const verificationHistory = [{ id: "run-1", phase: "Running" as const }];
    await server.put(
      project(),
      stage("test", {}, { freightHistory: [{ id: "1", items, verificationHistory }] }),
    );
    await kargo("verify", "stage", "test", "--project", "shop");
    await kargo("verify", "stage", "test", "--project", "shop", "--abort");
    const asked = (await server.store.get({ kind: "Stage", project: "shop", name: "test" }))?.metadata
      .annotations;
    expect(JSON.parse(asked?.["kargo.akuity.io/reverify"] ?? "")).toEqual({ id: "run-1", actor: "admin" });
    expect(JSON.parse(asked?.["kargo.akuity.io/abort"] ?? "")).toEqual({ id: "run-1", actor: "admin" });
  });

  it("shows what a verification's container says", async () => {
    const { server, kargo } = await startWithKargo();
    const spec = { template: { spec: { containers: [{ name: "main", image: "busybox" }] } } };
    await server.put(project(), {
      apiVersion: "argoproj.io/v1alpha1",
      kind: "AnalysisRun",
      metadata: { name: "test.1", namespace: "shop" },
      spec: { metrics: [{ name: "tests", provider: { job: { spec } } }] },
      status: { phase: "Successful" },
    });
    const key = containerLog({ project: "shop", name: "test.1" }, "tests", "main");
    const line = (text: string) => ({ at: "2030-01-02T03:04:05Z", stream: "stdout" as const, text });
    await server.store.appendLog(key, [line("one"), line(""), line("  three")]);
    expect((await kargo("logs", "test.1", "--project", "shop")).stdout).toBe("one\n\n  three\n");
    const named = ["--metric", "tests", "--container", "main"];
    expect((await kargo("logs", "test.1", "--project", "shop", ...named)).stdout).toContain("three");
    await expect(kargo("logs", "test.1", "--project", "shop", "--metric", "other")).rejects.toThrow("other");
  });

  it("manages credentials without ever seeing them again", async () => {
    const { server, kargo } = await startWithKargo();
    await server.put(project());
    const at = ["--project", "shop"];
    const url = "https://github.com/example/app";
    const login = ["--username", "robot", "--password", "hunter2"];
    const created = await kargo(
      "create",
      "repo-credentials",
      "git",
      ...at,
      "--git",
      "--repo-url",
      url,
      ...login,
    );
    await kargo("create", "generic-credentials", "api", ...at, "--set", "key=hunter3");
    await kargo("create", "configmap", "settings", ...at, "--set", "color=red");
    const listed = await kargo("get", "repo-credentials", ...at, "-o", "yaml");
    expect(listed.stdout).toContain(url);
    expect(created.stdout + listed.stdout).not.toContain("hunter2");
    expect((await kargo("get", "generic-credentials", ...at, "-o", "yaml")).stdout).not.toContain("hunter3");
    expect((await kargo("get", "configmaps", ...at, "-o", "yaml")).stdout).toContain("color: red");
    expect(await server.store.get({ kind: "Secret", project: "shop", name: "git" })).toMatchObject({
      data: { password: Buffer.from("hunter2").toString("base64") },
    });
    await kargo("delete", "repo-credentials", "git", ...at);
    await kargo("delete", "generic-credentials", "api", ...at);
    await kargo("delete", "configmap", "settings", ...at);
    expect(await server.store.list({ kind: "Secret" })).toEqual([]);
  });

  it("logs in as the administrator", async () => {
    const { server, kargo } = await startWithKargo();
    await server.put(project());
    const address = await listen(server.app);
    await kargo("login", address, "--admin", "--password", testToken);
    await expect(kargo("login", address, "--admin", "--password", "a wrong one")).rejects.toThrow(
      /invalid password/,
    );
  });

  it("makes a token that then is good for its role", async () => {
    const { server, kargo } = await startWithKargo();
    await server.put(project(), secret("other", { hash: "x" }));
    const made = await kargo("create", "token", "ci", "--project", "shop", "--role", "kargo-viewer");
    const token = /Token: (\S+)/.exec(made.stdout)?.[1] as string;
    const headers = { Authorization: `Bearer ${token}` };
    expect((await server.call("GET", "/v1beta1/projects/shop", undefined, headers)).status).toBe(200);
    expect((await server.call("DELETE", "/v1beta1/projects/shop", undefined, headers)).status).toBe(403);
    expect((await kargo("get", "tokens", "--project", "shop")).stdout).toContain("ci");
    expect((await kargo("get", "tokens", "--project", "shop", "-o", "yaml")).stdout).not.toContain(token);
    await kargo("delete", "token", "ci", "--project", "shop");
    expect((await server.call("GET", "/v1beta1/projects/shop", undefined, headers)).status).toBe(401);
  });

  it("looks at what there is one of, and at roles", async () => {
    const { server, kargo } = await startWithKargo();
    const apiVersion = "kargo.akuity.io/v1alpha1";
    const webhookReceivers = [{ name: "push", url: "https://towpath.example.com/webhook/github/0" }];
    const lastTransitionTime = "2030-01-02T03:04:05Z";
    const ready = { type: "Ready", status: "True", reason: "Synced", message: "It is", lastTransitionTime };
    const status = { webhookReceivers, conditions: [ready] };
    await server.put(
      project(),
      { apiVersion, kind: "ProjectConfig", metadata: { name: "shop", namespace: "shop" }, status },
      { apiVersion, kind: "ClusterConfig", metadata: { name: "cluster" }, status },
    );
    expect((await kargo("get", "projectconfig", "--project", "shop", "-o", "yaml")).stdout).toContain(
      "/webhook/github/0",
    );
    expect((await kargo("get", "clusterconfig", "-o", "yaml")).stdout).toContain("/webhook/github/0");
    expect((await kargo("get", "roles", "--project", "shop")).stdout).toContain("kargo-promoter");
    expect((await kargo("get", "roles", "kargo-viewer", "--project", "shop")).stdout).toContain(
      "kargo-viewer",
    );
    expect((await kargo("get", "roles", "--system")).stdout).toContain("kargo-admin");
  });

  it("asks for the version", async () => {
    const { kargo } = await startWithKargo();
    expect((await kargo("version")).stdout).toContain("0.0.0-test");
  });
});
