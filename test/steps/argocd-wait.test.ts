import { describe, expect, it } from "vitest";
import type { StepContext } from "#core/step.ts";
import argocdWait from "#steps/argocd-wait.ts";
import { type ArgoServer, fakeApplication, startArgoServer } from "#test/support/argocd-server.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const before = "2030-01-02T03:04:00Z";
const after = "2030-01-02T03:05:00Z";
const well = { health: { status: "Healthy" }, sync: { status: "Synced" }, reconciledAt: after };

async function serverWith(status: object, operation?: object): Promise<ArgoServer> {
  const argo = await startArgoServer();
  // Nobody has authorized anything: looking takes no leave.
  argo.apps = [{ ...fakeApplication("web", { annotations: {} }), status: { ...well, ...status } }];
  if (operation) Object.assign(argo.apps[0] ?? {}, { operation });
  return argo;
}

const wait = (argo: ArgoServer, waitFor?: string[], overrides: Partial<StepContext> = {}) =>
  runStep(
    argocdWait,
    { apps: [{ name: "web", ...(waitFor ? { waitFor } : {}) }] },
    fakeContext({ argocd: async () => argo.connection, ...overrides }),
  );

const running = { operationState: { phase: "Running" } };
const ended = { operationState: { phase: "Succeeded", finishedAt: before } };

describe("argocd-wait", () => {
  it.each<{ status: object; operation?: object; waitFor?: string[]; until: boolean }>([
    { status: {}, until: true },
    { status: ended, until: true },
    { status: { operationState: { phase: "Succeeded", finishedAt: after } }, until: true },
    { status: running, until: false },
    { status: {}, operation: { sync: {} }, until: false },
    { status: running, waitFor: ["health", "sync"], until: true },
    { status: running, waitFor: ["operation"], until: false },
    { status: { sync: { status: "OutOfSync" } }, until: false },
    { status: { sync: { status: "OutOfSync" } }, waitFor: ["health", "operation"], until: true },
    { status: { health: { status: "Progressing" } }, until: false },
    { status: { health: {} }, until: false },
    { status: { health: { status: "Progressing" } }, waitFor: ["sync", "operation"], until: true },
    { status: { health: { status: "Suspended" } }, until: false },
    { status: { health: { status: "Suspended" } }, waitFor: ["suspended"], until: true },
    { status: { health: { status: "Suspended" } }, waitFor: ["health", "suspended"], until: true },
    { status: { health: { status: "Degraded" } }, until: false },
    { status: { health: { status: "Degraded" } }, waitFor: ["degraded"], until: true },
    { status: { health: { status: "Healthy" } }, waitFor: ["degraded"], until: false },
    {
      status: { health: { status: "Degraded" }, sync: undefined },
      waitFor: ["degraded", "sync"],
      until: false,
    },
  ])(
    "for $waitFor has come to its end with $status: $until",
    async ({ status, operation, waitFor, until }) => {
      const argo = await serverWith(status, operation);
      expect(await wait(argo, waitFor)).toMatchObject({
        status: until ? "succeeded" : "waiting",
        output: { apps: [{ name: "web", namespace: "argocd" }] },
      });
      expect(argo.requests.every((request) => request.startsWith("GET"))).toBe(true);
    },
  );

  it("does not trust health from before the last operation, and has it looked at again", async () => {
    const argo = await serverWith({ ...ended, reconciledAt: "2030-01-02T03:03:59Z" });
    expect(await wait(argo)).toMatchObject({ status: "waiting" });
    expect(argo.requests.at(-1)).toContain("refresh=hard");
    expect(await wait(argo)).toMatchObject({ status: "succeeded" });
  });

  it.each([
    { was: undefined, fails: false },
    { was: "Unknown", fails: false },
    { was: "Degraded", fails: false },
    { was: "Progressing", fails: true },
    { was: "Healthy", fails: true },
  ])("on an Application that was $was and is Degraded fails: $fails", async ({ was, fails }) => {
    const argo = await serverWith({ health: { status: "Degraded" } });
    const outputs = was === undefined ? {} : { "step-1": { healthStatus: { "argocd/web": was } } };
    const waiting = wait(argo, ["health", "suspended"], { outputs });
    const output = { healthStatus: { "argocd/web": "Degraded" } };
    if (fails) await expect(waiting).rejects.toMatchObject({ status: "Errored", terminal: true, output });
    else expect(await waiting).toMatchObject({ status: "waiting", output });
    expect(await wait(argo, ["degraded"], { outputs })).toMatchObject({ status: "succeeded" });
  });

  it("remembers what it saw through a server's bad minute", async () => {
    const argo = await serverWith({});
    argo.answers.push([503, "busy"]);
    const outputs = { "step-1": { healthStatus: { "argocd/web": "Progressing" } } };
    await expect(wait(argo, undefined, { outputs })).rejects.toMatchObject({
      kind: "transient",
      output: { healthStatus: { "argocd/web": "Progressing" } },
    });
  });

  it.each(["ComparisonError", "InvalidSpecError"])("fails for good on a %s", async (type) => {
    const argo = await serverWith({
      conditions: [
        { type: "SyncError", message: "-" },
        { type, message: "no repo" },
      ],
    });
    await expect(wait(argo)).rejects.toMatchObject({
      status: "Errored",
      terminal: true,
      message: expect.stringContaining(`${type}: no repo`),
    });
  });

  it("waits for all that a selector finds, and remembers what it saw", async () => {
    const argo = await serverWith({});
    const labels = { team: "shop" };
    argo.apps = [fakeApplication("a", { labels }), fakeApplication("b", { labels }), fakeApplication("c")];
    Object.assign(argo.apps[1]?.status ?? {}, { health: { status: "Progressing" } });
    const config = { apps: [{ selector: { matchLabels: labels } }] };
    const ctx = fakeContext({ argocd: async () => argo.connection });
    expect(await runStep(argocdWait, config, ctx)).toMatchObject({
      status: "waiting",
      message: expect.stringContaining('"b"'),
      output: { healthStatus: { "argocd/a": "Healthy", "argocd/b": "Progressing" } },
    });
    const nobody = { apps: [{ selector: { matchLabels: { team: "nobody" } } }] };
    await expect(runStep(argocdWait, nobody, ctx)).rejects.toMatchObject({ status: "Errored" });
  });

  it("looks into the namespace that is named, if the server may", async () => {
    const argo = await serverWith({});
    Object.assign(argo.apps[0]?.metadata ?? {}, { namespace: "apps" });
    const ctx = fakeContext({ argocd: async () => argo.connection });
    const inNamespace = (namespace: string) =>
      runStep(argocdWait, { apps: [{ name: "web", namespace }] }, ctx);
    expect(await inNamespace("apps")).toMatchObject({ status: "succeeded" });
    await expect(inNamespace("elsewhere")).rejects.toThrow(/namespace 'elsewhere' is not permitted/);
  });

  it.each([
    { apps: [] },
    { apps: [{}] },
    { apps: [{ name: "a", waitFor: [] }] },
    { apps: [{ name: "a", waitFor: ["sync", "sync"] }] },
    { apps: [{ name: "a", waitFor: ["peace"] }] },
    { apps: [{ name: "a", sources: [] }] },
  ])("refuses %j", async (config) => {
    await expect(runStep(argocdWait, config)).rejects.toMatchObject({ kind: "config" });
  });
});
